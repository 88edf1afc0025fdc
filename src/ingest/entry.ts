import type { LedgerEntry } from '../model.ts'
import type { Reading, Unit } from '../providers/provider.ts'
import { isOpen } from './schedule.ts'

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
    before.publishedAt === null &&
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
