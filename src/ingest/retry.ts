import { setTimeout as delay } from 'node:timers/promises'

const firstMs = 1_000
/** The longest wait between attempts where the provider names none. */
export const longestBackOffMs = 60_000

/** The wait after the n-th fault in a row: 1, 2, 4 … 60 seconds. */
export const backOffMs = (attempt: number): number => Math.min(firstMs * 2 ** (attempt - 1), longestBackOffMs)

/** The least wait then: who names a short wait again and again is asked more and more calmly all the same. */
export const leastBackOffMs = (attempt: number): number => Math.min(25 * 2 ** attempt, longestBackOffMs)

/** Resolves after `ms`, or as soon as the signal aborts. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal }).catch(() => undefined)
}
