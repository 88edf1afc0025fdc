import { type Pulse, stalled, Watchdog } from '../kafka/watchdog.ts'

/** Called at every sign of life of a source; `restMs`: that long a rest begins. */
export type Alive = (restMs?: number) => void

/** Watches each source of a partition by itself: one that hangs must not hide behind the others. */
export class SourceWatch {
  /** Rejects when a source makes no step any more. */
  readonly hung: Promise<never>
  readonly #watchdog: Watchdog<string>
  readonly #pulse: Pulse

  constructor(pulse: Pulse, stallMs: number) {
    this.#pulse = pulse
    const { promise, reject } = withReject()
    this.hung = promise
    this.#watchdog = new Watchdog(stallMs, (source, silentMs) => {
      reject(stalled(`Source ${source}`, silentMs))
    })
  }

  /** Watches a source while `work` runs. */
  async during(source: string, work: (alive: Alive) => Promise<void>): Promise<void> {
    const alive: Alive = (restMs) => {
      this.#pulse.alive(restMs)
      this.#watchdog.feed(source, restMs)
    }
    alive()
    try {
      await work(alive)
    } finally {
      this.#watchdog.forget(source)
    }
  }

  close(): void {
    this.#watchdog.close()
  }
}

function withReject(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<never>((_resolve, rejectIt) => {
    reject = rejectIt
  })
  promise.catch(() => undefined)
  return { promise, reject }
}
