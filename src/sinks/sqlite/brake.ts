const at = { pulled: 0, working: 1 } as const

/** A thread comes to its next `check` much sooner, unless the disk hangs. */
const longestMs = 2_000

/**
 * Brings a thread to a halt before the process ends. Node stops threads wherever they are, and one that is inside the
 * SQLite driver then takes the whole process down (SIGABRT): the driver has an exception that it cannot throw any more.
 */
export class Brake {
  /** What both threads share. */
  readonly cells: Int32Array<SharedArrayBuffer>

  /** The thread is given the cells of the brake outside. */
  constructor(cells = new Int32Array(new SharedArrayBuffer(8))) {
    this.cells = cells
  }

  /** In the thread, before it uses the driver. False when the process is about to end: then it must not. */
  begin(): boolean {
    Atomics.store(this.cells, at.working, 1)
    if (!this.#isPulled) return true
    this.end()
    return false
  }

  /** In the thread, when it has used the driver. */
  end(): void {
    Atomics.store(this.cells, at.working, 0)
    Atomics.notify(this.cells, at.working)
  }

  /** In the thread, between two steps of its work: throws when the process is about to end. */
  check(): void {
    if (this.#isPulled) throw new Error('The process ends.')
  }

  /** In the thread: rests, unless the process is about to end. */
  rest(ms: number): void {
    Atomics.wait(this.cells, at.pulled, 0, ms)
    this.check()
  }

  /** Outside: waits until the thread is not at work, and begins nothing any more. */
  pull(): void {
    Atomics.store(this.cells, at.pulled, 1)
    Atomics.notify(this.cells, at.pulled)
    Atomics.wait(this.cells, at.working, 1, longestMs)
  }

  get #isPulled(): boolean {
    return Atomics.load(this.cells, at.pulled) === 1
  }
}
