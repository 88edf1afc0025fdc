import type { LedgerEntry } from '../model.ts'
import type { Reading, Unit } from '../providers/provider.ts'

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
function isOpen(unit: Unit, atMs: number): boolean {
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
  /** Due now and not yet read. */
  due: number
  lost: number
  failed: number
}

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
    else if (at !== null && at <= nowMs) counts.due++
  }
  return counts
}

const minuteMs = 60_000
/** A provider that says "retry after 0" gets a breath all the same. */
const leastWaitMs = 1_000

const longestWaitMs = 15 * minuteMs
/** A provider may keep an hour somewhat longer than it promises. */
const deadlineGraceMs = 24 * 60 * minuteMs

/**
 * Waiting time before a failed unit is read again: while it is open its poll interval, then twice that, up to a minute,
 * so that a faulty channel costs the others little; else 1, 2, 4 … 15 minutes. A published unit whose later look fails keeps its state, so the last wait alone tells that there was a failure before.
 */
function failureWaitMs(unit: Unit, before: LedgerEntry, nowMs: number): number {
  const { state, lastTriedAt, nextLookAt, publishedAt } = before
  const waitedMs = lastTriedAt === null || nextLookAt === null ? 0 : nextLookAt - lastTriedAt
  if (isOpen(unit, nowMs)) {
    const pollMs = unit.pollEveryMs ?? minuteMs
    return Math.min(minuteMs, state === 'failed' ? Math.max(pollMs, 2 * waitedMs) : pollMs)
  }
  if (state !== 'failed' && (publishedAt === null || waitedMs > longestWaitMs)) return minuteMs
  return Math.min(longestWaitMs, Math.max(minuteMs, 2 * waitedMs))
}

/** The entry of a unit before anything is known of it. `opensAt` is null for one that is not scheduled. */
export function newEntry(
  source: string,
  unit: Pick<Unit, 'name' | 'deadline'> & { opensAt: number | null },
): LedgerEntry {
  return {
    source,
    unit: unit.name,
    state: 'pending',
    attempts: 0,
    lines: 0,
    bytes: 0,
    digest: '',
    firstTriedAt: null,
    lastTriedAt: null,
    publishedAt: null,
    deadline: unit.deadline,
    nextLookAt: unit.opensAt,
    reason: null,
  }
}

/**
 * What the ledger says after a reading that began at `startedAt`. A unit that has been published keeps its state
 * whatever a later look meets: what was read is in `raw`, and only the look failed.
 */
export function entryAfter(
  source: string,
  unit: Unit,
  previous: LedgerEntry | undefined,
  reading: Reading,
  startedAt: number,
): LedgerEntry {
  const before = previous ?? newEntry(source, unit)
  const entry: LedgerEntry = {
    ...before,
    attempts: before.attempts + 1,
    firstTriedAt: before.firstTriedAt ?? startedAt,
    lastTriedAt: startedAt,
    deadline: unit.deadline,
    reason: 'reason' in reading ? reading.reason : (reading.finding ?? null),
  }
  if (before.publishedAt !== null && reading.state !== 'published' && reading.state !== before.state)
    entry.reason = `at a later look: ${reading.reason}`
  if (reading.state === 'published') {
    Object.assign(entry, { lines: reading.lines, bytes: reading.bytes, digest: reading.digest })
  }
  if (
    unit.pollEveryMs !== null &&
    isOpen(unit, startedAt) &&
    (reading.state === 'published' || reading.state === 'empty')
  ) {
    return {
      ...entry,
      state: 'pending',
      nextLookAt: Math.min(startedAt + unit.pollEveryMs, unit.closesAt),
      reason: reading.state === 'published' ? (reading.finding ?? null) : null,
    }
  }
  switch (reading.state) {
    case 'published':
    case 'empty': {
      const publishedAt = before.publishedAt ?? startedAt
      const state = before.state === 'published' ? 'published' : reading.state
      if (state === 'empty') Object.assign(entry, { lines: 0, bytes: 0, digest: '' })
      return { ...entry, state, publishedAt, nextLookAt: lookAgainAt(unit, publishedAt, startedAt) }
    }
    case 'not_yet':
    case 'failed': {
      if (unit.deadline !== null && startedAt > unit.deadline + deadlineGraceMs) return tooLate(entry, before)
      const state = before.publishedAt === null ? reading.state : before.state
      const waitMs = Math.max(leastWaitMs, reading.retryAfterMs ?? failureWaitMs(unit, before, startedAt))
      return { ...entry, state, nextLookAt: startedAt + waitMs }
    }
    case 'lost':
      return { ...entry, state: before.publishedAt === null ? 'lost' : before.state, nextLookAt: null }
  }
}

/** The provider need no longer have it, so asking again is of no use. */
function tooLate(entry: LedgerEntry, before: LedgerEntry): LedgerEntry {
  if (before.publishedAt !== null) return { ...entry, state: before.state, nextLookAt: null }
  const reason = `gone before it could be read: ${entry.reason ?? 'nothing is known of it'}`
  return { ...entry, state: 'lost', reason, nextLookAt: null }
}

function lookAgainAt(unit: Unit, publishedAt: number, nowMs: number): number | null {
  const next = unit.lookAgainMs.map((afterMs) => publishedAt + afterMs).find((at) => at > nowMs)
  if (next === undefined || (unit.deadline !== null && next > unit.deadline)) return null
  return next
}
