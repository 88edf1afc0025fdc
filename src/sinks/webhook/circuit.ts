import { ChatfeedError, isTransient } from '../../errors.ts'

/** So many failures in a row open the circuit. */
const patience = 5
const firstRestMs = 500
const longestRestMs = 60_000

/**
 * Spares a receiver that does not work. Closed, every call goes through. After some failures in a row, or when the
 * receiver names a waiting time, it is open: calls fail at once until the rest is over. Then it is half open: one call
 * tries, and closes it or opens it for twice as long. Every failure says by `retryAfterMs` when to try again.
 */
export class Circuit {
  readonly #now: () => number
  readonly #random: () => number
  #failures = 0
  #openUntilMs = 0
  #isTrying = false
  #last: ChatfeedError | undefined

  constructor(now: () => number = Date.now, random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  /** `transient` errors of the call but `stopped` are failures of the receiver. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const restMs = this.#openUntilMs - this.#now()
    if (this.#last && (restMs > 0 || this.#isTrying))
      throw restingFor(Math.max(restMs, firstRestMs), this.#last)
    const before = this.#failures
    const isTrial = before >= patience
    if (isTrial) this.#isTrying = true
    try {
      const result = await call()
      this.#failures = 0
      this.#openUntilMs = 0
      this.#last = undefined
      return result
    } catch (error) {
      if (!isTransient(error) || error.code === 'stopped') throw error
      // Calls that were under way together tell of one failure.
      if (this.#failures === before) this.#failures++
      throw this.#opened(error)
    } finally {
      if (isTrial) this.#isTrying = false
    }
  }

  #opened(error: ChatfeedError): ChatfeedError {
    const steadyMs = Math.min(firstRestMs * 2 ** (this.#failures - 1), longestRestMs)
    const restMs = Math.max(steadyMs * (0.5 + this.#random() / 2), error.retryAfterMs ?? 0)
    this.#last = error
    if (this.#failures >= patience || error.retryAfterMs !== undefined)
      this.#openUntilMs = Math.max(this.#openUntilMs, this.#now() + restMs)
    return restingFor(restMs, error)
  }
}

function restingFor(retryAfterMs: number, cause: ChatfeedError): ChatfeedError {
  const { code, message, mend } = cause
  return new ChatfeedError('transient', code, message, {
    cause,
    retryAfterMs,
    ...(mend !== undefined && { mend }),
  })
}
