/** Who asks: a message on its way goes before a later attempt. */
export type Urgency = 'now' | 'later'

/** Lets so many at once, `now` before `later`, each in the order of asking. */
export class Turns {
  #free: number
  readonly #waiting: Record<Urgency, (() => void)[]> = { now: [], later: [] }

  constructor(concurrency: number) {
    this.#free = concurrency
  }

  /** Runs `work` when it is its turn; one whose signal aborts before gives up its place and rejects with the reason. */
  async take<T>(urgency: Urgency, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(urgency, signal)
    try {
      return await work()
    } finally {
      const next = this.#waiting.now.shift() ?? this.#waiting.later.shift()
      if (next) next()
      else this.#free++
    }
  }

  #turn(urgency: Urgency, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    const queue = this.#waiting[urgency]
    return new Promise((resolve, reject) => {
      const leave = () => {
        queue.splice(queue.indexOf(grant), 1)
        reject(signal.reason as Error)
      }
      const grant = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      signal.addEventListener('abort', leave, { once: true })
      queue.push(grant)
    })
  }
}
