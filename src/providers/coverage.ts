import type { LedgerEntry } from '../model.ts'

/** The unit of work, in milliseconds. */
export const hourMs = 3_600_000

/**
 * Whether only a backfill has had to do with an hour: it was read, and the running job was never to read it, nor is it to
 * look again. The ledger says so by an entry that was published, is closed and was never tried; the job's own always
 * tell when they were first tried. `backfilledEntry` writes that state, and nothing else need know how it looks.
 */
export function isBackfilled({ firstTriedAt, publishedAt, nextLookAt }: LedgerEntry): boolean {
  return firstTriedAt === null && publishedAt !== null && nextLookAt === null
}

/** The entry of an hour that was published, as one for which `isBackfilled` is true. */
export function backfilledEntry(published: LedgerEntry): LedgerEntry {
  return { ...published, firstTriedAt: null, nextLookAt: null }
}

/** What stands before the hour in the name of a unit, its slash included; `''` where there is nothing. */
export const channelOf = (unit: string): string => unit.slice(0, unit.lastIndexOf('/') + 1)

/**
 * Whether an hour is the running job's, read or to be read: it has had to do with this hour or with an earlier one of
 * the channel, as far as `known` tells, and skips none after that.
 */
export function isCovered(unit: string, known: ReadonlyMap<string, LedgerEntry>): boolean {
  const channel = channelOf(unit)
  for (const entry of known.values())
    if (entry.unit <= unit && channelOf(entry.unit) === channel && !isBackfilled(entry)) return true
  return false
}

/**
 * Where a source's list of hours begins, so that none falls through: at `fromMs`, or earlier, at the oldest hour that
 * is to be looked at again, and at the first one missing in the ledger after the oldest known: the hours of an outage
 * longer than `since` are unread and unreported otherwise, also when the newest of them were read already. What only a
 * backfill has read is known, but not the oldest known: after it nobody was to read anything. `startOf` answers
 * null for the names of other units.
 */
export function coverFrom(
  fromMs: number,
  known: ReadonlyMap<string, LedgerEntry>,
  startOf: (unit: string) => number | null,
): number {
  const starts = new Set<number>()
  let oldest = Infinity
  let oldestOpen = Infinity
  for (const entry of known.values()) {
    const startMs = startOf(entry.unit)
    if (startMs === null) continue
    starts.add(startMs)
    if (isBackfilled(entry)) continue
    oldest = Math.min(oldest, startMs)
    if (entry.nextLookAt !== null) oldestOpen = Math.min(oldestOpen, startMs)
  }
  let missing = oldest
  while (starts.has(missing)) missing += hourMs
  return Math.min(fromMs, oldestOpen, missing)
}
