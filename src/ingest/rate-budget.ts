import { setTimeout as delay } from 'node:timers/promises'
import type { RateBudget } from '../providers/provider.ts'

/**
 * At most `calls` in any window of `windowMs`, granted in the order of asking, spread only as far as the limit
 * demands: a sliding window over the times of the last calls.
 */
export function createRateBudget(calls: number, windowMs: number, now: () => number = Date.now): RateBudget {
  const granted: number[] = []
  let pausedUntil = 0
  let turn: Promise<void> = Promise.resolve()

  async function grant(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      while (granted.length > 0 && granted[0]! <= now() - windowMs) granted.shift()
      const freeAt = granted.length < calls ? 0 : granted[0]! + windowMs
      const waitMs = Math.max(freeAt, pausedUntil) - now()
      if (waitMs <= 0) break
      await delay(waitMs, undefined, signal ? { signal } : {})
    }
    granted.push(now())
  }

  return {
    take(signal) {
      const mine = turn.then(() => grant(signal))
      turn = mine.catch(() => undefined)
      return mine
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, now() + ms)
    },
  }
}
