/** Who asks: a message on its way goes before a later attempt. */
export type Urgency = 'now' | 'later'

/**
 * Lets so many at once, `now` before `later`, each in the order of asking. Of `later` at most half run, for each can
 * take long: what is on its way must find room.
 */
export class Turns {
  readonly #free: Record<'all' | 'later', number>
  readonly #waiting: Record<Urgency, (() => void)[]> = { now: [], later: [] }

  constructor(concurrency: number) {
    this.#free = { all: concurrency, later: Math.max(1, Math.floor(concurrency / 2)) }
  }

  /** Runs `work` when it is its turn; one whose signal aborts before gives up its place and rejects with the reason. */
  async take<T>(urgency: Urgency, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(urgency, signal)
    try {
      return await work()
    } finally {
      this.#free.all++
      if (urgency === 'later') this.#free.later++
      this.#grant()
    }
  }

  #turn(urgency: Urgency, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
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
      this.#grant()
    })
  }

  /** Lets in whoever has the turn, as far as there is room. */
  #grant(): void {
    while (this.#free.all > 0) {
      const { now, later } = this.#waiting
      const isLater = now.length === 0
      const next = isLater && this.#free.later > 0 ? later.shift() : now.shift()
      if (!next) return
      this.#free.all--
      if (isLater) this.#free.later--
      next()
    }
  }
}
