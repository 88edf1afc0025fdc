import type { LedgerEntry } from '../model.ts'

/** The unit of work, in milliseconds. */
export const hourMs = 3_600_000

/**
 * Where a source's list of hours begins, so that none falls through: at `fromMs`, or earlier, at the oldest hour that
 * is to be looked at again, and at the first one missing in the ledger after the oldest known: the hours of an outage
 * longer than `since` are unread and unreported otherwise, also when the newest of them were read already. `startOf`
 * answers null for the names of other units.
 */
export function coverFrom(
  fromMs: number,
  known: ReadonlyMap<string, LedgerEntry>,
  startOf: (unit: string) => number | null,
): number {
  const starts = new Set<number>()
  let oldest = Infinity
  let oldestOpen = Infinity
  for (const { unit, nextLookAt } of known.values()) {
    const startMs = startOf(unit)
    if (startMs === null) continue
    starts.add(startMs)
    oldest = Math.min(oldest, startMs)
    if (nextLookAt !== null) oldestOpen = Math.min(oldestOpen, startMs)
  }
  let missing = oldest
  while (starts.has(missing)) missing += hourMs
  return Math.min(fromMs, oldestOpen, missing)
}
