import { entryAfter } from '../../../src/ingest/entry.ts'
import type { LedgerEntry } from '../../../src/model.ts'
import type { Reading, Unit } from '../../../src/providers/provider.ts'

export const minute = 60_000
export const hour = 60 * minute

/** An hour that is asked for once, after its end. */
export const fileHour: Unit = {
  name: 'h',
  opensAt: hour,
  closesAt: hour,
  pollEveryMs: null,
  lookAgainMs: [6 * hour, 24 * hour],
  deadline: 72 * hour,
}
/** An hour that is polled while it is open. */
export const liveHour: Unit = {
  name: 'live',
  opensAt: 0,
  closesAt: hour,
  pollEveryMs: 15_000,
  lookAgainMs: [10 * minute],
  deadline: null,
}
export const published = { state: 'published' as const, lines: 3, bytes: 30, digest: 'd1' } satisfies Reading
export const empty: Reading = { state: 'empty', reason: 'no file' }
export const failed: Reading = { state: 'failed', reason: 'cut short' }
export const lost: Reading = { state: 'lost', reason: 'gone' }

/** The entry after these readings. */
export function after(unit: Unit, ...readings: [Reading, number][]): LedgerEntry {
  let entry: LedgerEntry | undefined
  for (const [reading, at] of readings) entry = entryAfter('s', unit, entry, reading, at)
  if (!entry) throw new Error('No reading was given.')
  return entry
}
