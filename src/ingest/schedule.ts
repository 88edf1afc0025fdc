import type { LedgerEntry } from '../model.ts'
import type { Unit } from '../providers/provider.ts'

/** A unit that is due, and how urgently; the lowest urgency is read first. */
export interface DueUnit {
  unit: Unit
  entry: LedgerEntry | undefined
  dueAt: number
  urgency: number
}

/**
 * Live hours first, so that new messages are quick; then hours not yet read that the provider will soon no longer
 * have; then second looks; then the rest of what has not been read, newest first.
 */
const urgencies = { live: 0, expiring: 1, secondLook: 2, catchUp: 3 } as const

/** An hour not yet read is live for so long after it became due. */
const freshMs = 3_600_000
/** Left before the deadline: time for the waits between attempts that fail. */
const expiringMs = 6 * 3_600_000

const closed = new Set<LedgerEntry['state']>(['published', 'empty'])

/** When a unit is to be read (again); null when it is closed. */
export function dueAt(unit: Unit, entry: LedgerEntry | undefined): number | null {
  return entry ? entry.nextLookAt : unit.opensAt
}

/**
 * The units that are due now, most urgent first. A failed unit that this process has not `tried` is due at once:
 * whoever starts chatfeed again has mended something.
 */
export function dueUnits(
  units: readonly Unit[],
  entries: ReadonlyMap<string, LedgerEntry>,
  nowMs: number,
  tried: ReadonlySet<string> = new Set(),
): DueUnit[] {
  const due: DueUnit[] = []
  for (const unit of units) {
    const entry = entries.get(unit.name)
    const at = entry?.state === 'failed' && !tried.has(unit.name) ? nowMs : dueAt(unit, entry)
    if (at !== null && at <= nowMs)
      due.push({ unit, entry, dueAt: at, urgency: urgencyOf(unit, entry, nowMs) })
  }
  return due.sort((a, b) => a.urgency - b.urgency || beforeInLine(a, b))
}

function beforeInLine(a: DueUnit, b: DueUnit): number {
  if (a.urgency === urgencies.live) return a.dueAt - b.dueAt
  if (a.urgency === urgencies.catchUp) return b.unit.opensAt - a.unit.opensAt
  return a.unit.opensAt - b.unit.opensAt
}

/** Every so many readings a closed hour has its turn, however many live ones wait. */
const turnOfOthers = 4

/** The unit to read next: the first in line, and now and then the first that is not live. */
export function nextUnit(due: readonly DueUnit[], turn: number): DueUnit | undefined {
  const other =
    turn % turnOfOthers === turnOfOthers - 1
      ? due.find(({ urgency }) => urgency !== urgencies.live)
      : undefined
  return other ?? due[0]
}

function urgencyOf(unit: Unit, entry: LedgerEntry | undefined, nowMs: number): number {
  if (isOpen(unit, nowMs)) return urgencies.live
  if (entry && closed.has(entry.state)) return urgencies.secondLook
  if (nowMs < unit.closesAt + freshMs) return urgencies.live
  return unit.deadline !== null && unit.deadline - nowMs < expiringMs ? urgencies.expiring : urgencies.catchUp
}

/** Whether the unit is still being polled. */
export function isOpen(unit: Unit, atMs: number): boolean {
  return unit.pollEveryMs !== null && atMs < unit.closesAt
}

/** When the next unit becomes due; null when none ever will. */
export function nextDueAt(units: readonly Unit[], entries: ReadonlyMap<string, LedgerEntry>): number | null {
  let next: number | null = null
  for (const unit of units) {
    const at = dueAt(unit, entries.get(unit.name))
    if (at !== null && (next === null || at < next)) next = at
  }
  return next
}

/** How the units of a source stand. */
export interface UnitCounts {
  /** Published or empty, whether or not another look is to come. */
  done: number
  /** Due now and not yet read; an open hour that is polled about as often as it should be is not among them. */
  due: number
  lost: number
  failed: number
}

/** Polls of many channels wait for each other. */
const pollSlackMs = 60_000

const isPolled = (entry: LedgerEntry | undefined): boolean =>
  entry?.state === 'pending' && entry.lastTriedAt !== null

/** Counts the units of a source by how they stand at `nowMs`. */
export function countUnits(
  units: readonly Unit[],
  entries: ReadonlyMap<string, LedgerEntry>,
  nowMs: number,
): UnitCounts {
  const counts = { done: 0, due: 0, lost: 0, failed: 0 }
  for (const unit of units) {
    const entry = entries.get(unit.name)
    const at = dueAt(unit, entry)
    if (entry && closed.has(entry.state)) counts.done++
    else if (entry?.state === 'lost' || entry?.state === 'failed') counts[entry.state]++
    else if (at !== null && at <= nowMs - (isPolled(entry) ? pollSlackMs : 0)) counts.due++
  }
  return counts
}
