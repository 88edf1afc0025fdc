import type { LedgerEntry } from '../model.ts'

/**
 * Where a source's list of hours begins, so that none falls through: at `fromMs`, or earlier, at the newest hour in
 * the ledger (what came after an outage longer than `since` is missing otherwise, unread and unreported) and at the
 * oldest one that is to be looked at again. `startOf` answers null for the names of other units.
 */
export function coverFrom(
  fromMs: number,
  known: ReadonlyMap<string, LedgerEntry>,
  startOf: (unit: string) => number | null,
): number {
  let newest = -Infinity
  let oldestOpen = Infinity
  for (const { unit, nextLookAt } of known.values()) {
    const startMs = startOf(unit)
    if (startMs === null) continue
    newest = Math.max(newest, startMs)
    if (nextLookAt !== null) oldestOpen = Math.min(oldestOpen, startMs)
  }
  return Math.min(fromMs, oldestOpen, newest === -Infinity ? Infinity : newest)
}
