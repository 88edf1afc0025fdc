import { type NamedHour, nameRanges } from '../ingest/hour-ranges.ts'
import type { LedgerEntry } from '../model.ts'
import { hourMs } from '../providers/coverage.ts'

/** Hours, neither read nor reported lost, that somebody should look at. */
export interface UnitWarning {
  /** `expiring`: less than a quarter of the provider's retention is left; `overdue`: it has run out. */
  kind: 'expiring' | 'overdue'
  /** The oldest first. */
  units: string[]
  /** The same in short: `2026111500 … 2026111502 (3 hours)`. */
  ranges: string[]
  /** When the first of them is, or was, gone; epoch milliseconds. */
  deadline: number
}

const unfinished = new Set<LedgerEntry['state']>(['pending', 'not_yet', 'failed'])
const warnedShare = 1 / 4

/** What is to be said of the units of a source. `startOf` answers null for a unit that is no hour. */
export function unitWarnings(
  units: readonly Pick<LedgerEntry, 'unit' | 'state' | 'deadline'>[],
  startOf: (unit: string) => number | null,
  nowMs: number,
): UnitWarning[] {
  const overdue: ExpiringHour[] = []
  const expiring: ExpiringHour[] = []
  for (const { unit, state, deadline } of units) {
    const atMs = startOf(unit)
    if (!unfinished.has(state) || deadline === null || atMs === null) continue
    const retentionMs = deadline - (atMs + hourMs)
    if (deadline < nowMs) overdue.push({ name: unit, atMs, deadline })
    else if (deadline - nowMs < retentionMs * warnedShare) expiring.push({ name: unit, atMs, deadline })
  }
  return [...warningOf('overdue', overdue), ...warningOf('expiring', expiring)]
}

type ExpiringHour = NamedHour & { deadline: number }

function warningOf(kind: UnitWarning['kind'], hours: ExpiringHour[]): UnitWarning[] {
  const [first] = hours.sort((a, b) => a.deadline - b.deadline)
  if (!first) return []
  return [{ kind, units: hours.map(({ name }) => name), ranges: nameRanges(hours), deadline: first.deadline }]
}
