const leastRestMs = 15_000
const longestRestMs = 300_000
/** A single connection may break for any reason. */
const strikes = 3

/**
 * Hosts that do not answer are left alone for a while, twice as long each time: otherwise each attachment there would
 * take the whole of its time, and with it the messages behind.
 */
export class HostRests {
  readonly #hosts = new Map<string, { failures: number; restMs: number; untilMs: number }>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  isResting(host: string): boolean {
    return (this.#hosts.get(host)?.untilMs ?? 0) > this.#now()
  }

  answered(host: string): void {
    this.#hosts.delete(host)
  }

  /** It did not answer, or asked for a rest itself, of `askedMs`. */
  failed(host: string, askedMs?: number): void {
    const before = this.#hosts.get(host) ?? { failures: 0, restMs: leastRestMs, untilMs: 0 }
    const failures = before.failures + 1
    // What failed was under way before the rest began.
    if (before.untilMs > this.#now()) return
    const { restMs } = before
    if (askedMs !== undefined) this.#hosts.set(host, { failures, restMs, untilMs: this.#now() + askedMs })
    else if (failures < strikes) this.#hosts.set(host, { failures, restMs, untilMs: 0 })
    else {
      const next = Math.min(restMs * 2, longestRestMs)
      this.#hosts.set(host, { failures, restMs: next, untilMs: this.#now() + restMs })
    }
  }
}
