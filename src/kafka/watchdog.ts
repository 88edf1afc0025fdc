import { ChatfeedError } from '../errors.ts'

/** How work tells that it goes on. */
export interface Pulse {
  /** One step was made, or a rest of so long begins on purpose. */
  alive(restMs?: number): void
  /** What there was to do is done and safe: earlier trouble is over. */
  well(): void
  /** It waits for something that does not work now; `reason` is a sentence for the user. */
  ill(reason: string): void
}

const tickMs = 1_000

/**
 * Notices work that neither fails nor goes on, such as a promise that nobody settles any more. Time is counted in
 * turns of its own timer, so a process that was stopped for an hour and goes on is not taken for one that hangs.
 */
export class Watchdog<Name> {
  readonly #stallMs: number
  readonly #onStall: (name: Name, silentMs: number) => void
  /** The tick until which each name may be silent. */
  readonly #due = new Map<Name, number>()
  readonly #timer: NodeJS.Timeout
  #tick = 0

  /** `onStall` is called once for a name that has been silent for `stallMs` beyond the rest it announced. */
  constructor(stallMs: number, onStall: (name: Name, silentMs: number) => void) {
    this.#stallMs = stallMs
    this.#onStall = onStall
    this.#timer = setInterval(
      () => {
        this.#look()
      },
      Math.min(tickMs, stallMs),
    )
    // Alone it is no reason to go on living.
    this.#timer.unref()
  }

  /** `name` is alive, and may be silent for `restMs` longer than usual; a longer rest that was announced stays. */
  feed(name: Name, restMs = 0): void {
    const due = this.#tick + Math.ceil((this.#stallMs + restMs) / Math.min(tickMs, this.#stallMs))
    this.#due.set(name, Math.max(due, this.#due.get(name) ?? 0))
  }

  /** `name` has ended. */
  forget(name: Name): void {
    this.#due.delete(name)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#tick++
    for (const [name, due] of this.#due) {
      if (this.#tick <= due) continue
      this.#due.delete(name)
      this.#onStall(name, this.#stallMs)
    }
  }
}

/** The error of what makes no step any more. */
export function stalled(what: string, silentMs: number): ChatfeedError {
  return new ChatfeedError('fatal', 'stalled', `${what} has made no step for ${silentMs / 1_000} s.`, {
    mend: 'Start chatfeed again, best by a supervisor: it goes on from the last commit. If it stays, run with --verbose.',
  })
}
