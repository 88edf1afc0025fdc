import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  countUnits,
  dueUnits,
  entryAfter,
  newEntry,
  nextDueAt,
  nextUnit,
} from '../../../src/ingest/schedule.ts'
import type { LedgerEntry } from '../../../src/model.ts'
import type { Reading, Unit } from '../../../src/providers/provider.ts'

const minute = 60_000
const hour = 60 * minute

/** An hour that is asked for once, after its end. */
const fileHour: Unit = {
  name: 'h',
  opensAt: hour,
  closesAt: hour,
  pollEveryMs: null,
  lookAgainMs: [6 * hour, 24 * hour],
  deadline: 72 * hour,
}
/** An hour that is polled while it is open. */
const liveHour: Unit = {
  name: 'live',
  opensAt: 0,
  closesAt: hour,
  pollEveryMs: 15_000,
  lookAgainMs: [10 * minute],
  deadline: null,
}
const published: Reading = { state: 'published', lines: 3, bytes: 30, digest: 'd1' }
const empty: Reading = { state: 'empty', reason: 'no file' }
const failed: Reading = { state: 'failed', reason: 'cut short' }
const lost: Reading = { state: 'lost', reason: 'gone' }

/** The entry after these readings. */
function after(unit: Unit, ...readings: [Reading, number][]): LedgerEntry {
  let entry: LedgerEntry | undefined
  for (const [reading, at] of readings) entry = entryAfter('s', unit, entry, reading, at)
  assert.ok(entry)
  return entry
}

test('a unit nobody has tried is due when it opens, and not before', () => {
  assert.deepEqual(dueUnits([fileHour], new Map(), hour - 1), [])
  assert.equal(dueUnits([fileHour], new Map(), hour)[0]?.unit, fileHour)
  assert.equal(nextDueAt([fileHour], new Map()), hour)
  assert.equal(newEntry('s', fileHour).nextLookAt, hour)
})

test('a published unit remembers lines, bytes, digest and when, and is due again for its second looks', () => {
  const entry = after(fileHour, [published, 2 * hour])
  assert.deepEqual(entry, {
    source: 's',
    unit: 'h',
    state: 'published',
    attempts: 1,
    lines: 3,
    bytes: 30,
    digest: 'd1',
    firstTriedAt: 2 * hour,
    lastTriedAt: 2 * hour,
    publishedAt: 2 * hour,
    deadline: 72 * hour,
    nextLookAt: 8 * hour,
    reason: null,
  })
  const again = entryAfter('s', fileHour, entry, { ...published, lines: 4, digest: 'd2' }, 9 * hour)
  assert.deepEqual(
    [again.lines, again.digest, again.publishedAt, again.nextLookAt, again.attempts],
    [4, 'd2', 2 * hour, 26 * hour, 2],
  )
  assert.equal(entryAfter('s', fileHour, again, published, 26 * hour).nextLookAt, null)
})

test('a second look that was slept through is not made up for twice', () => {
  assert.equal(after(fileHour, [published, 2 * hour], [published, 30 * hour]).nextLookAt, null)
})

test('a second look after the deadline is not planned', () => {
  assert.equal(after(fileHour, [published, 60 * hour]).nextLookAt, 66 * hour)
  assert.equal(after(fileHour, [published, 67 * hour]).nextLookAt, null)
})

test('an empty unit is looked at again as well, and one that fills later is published', () => {
  const entry = after(fileHour, [empty, 2 * hour])
  assert.deepEqual([entry.state, entry.reason, entry.nextLookAt], ['empty', 'no file', 8 * hour])
  assert.equal(entryAfter('s', fileHour, entry, published, 8 * hour).state, 'published')
})

test('a published unit stays published, whatever a later look meets', () => {
  for (const reading of [empty, failed, lost, { state: 'not_yet', reason: 'r' } as const]) {
    const entry = after(fileHour, [published, 2 * hour], [reading, 9 * hour])
    assert.deepEqual([entry.state, entry.lines, entry.digest], ['published', 3, 'd1'], reading.state)
    assert.equal(entry.publishedAt, 2 * hour)
    assert.match(entry.reason ?? '', /^at a later look: /)
  }
})

test('an hour that was open with messages and closes without any is empty altogether', () => {
  const entry = after(liveHour, [published, minute], [empty, hour])
  assert.deepEqual([entry.state, entry.lines, entry.bytes, entry.digest], ['empty', 0, 0, ''])
})

test('a day after its deadline an hour that could not be read is lost, and a later look is given up', () => {
  const late = 97 * hour
  const gone = entryAfter('s', fileHour, after(fileHour, [failed, 71 * hour]), failed, late)
  assert.deepEqual([gone.state, gone.nextLookAt], ['lost', null])
  assert.match(gone.reason ?? '', /gone before it could be read: cut short/)
  const seen = entryAfter('s', fileHour, after(fileHour, [published, 71 * hour]), failed, late)
  assert.deepEqual([seen.state, seen.lines, seen.nextLookAt], ['published', 3, null])
  assert.equal(entryAfter('s', fileHour, undefined, failed, 95 * hour).state, 'failed')
})

test('a later look that fails again and again is tried ever more calmly', () => {
  let entry = after(fileHour, [published, 2 * hour])
  const waits: number[] = []
  for (let at = 8 * hour; waits.length < 6; at = entry.nextLookAt ?? Infinity) {
    entry = entryAfter('s', fileHour, entry, failed, at)
    waits.push((entry.nextLookAt ?? Infinity) - at)
  }
  assert.deepEqual(
    waits,
    [1, 2, 4, 8, 15, 15].map((m) => m * minute),
  )
})

test('a unit the provider has not made is asked for after its own waiting time, else ever more calmly', () => {
  const told = after(fileHour, [{ state: 'not_yet', reason: 'r', retryAfterMs: 5_000 }, hour])
  assert.deepEqual([told.state, told.reason, told.nextLookAt], ['not_yet', 'r', hour + 5_000])
  assert.equal(after(fileHour, [{ state: 'not_yet', reason: 'r' }, hour]).nextLookAt, hour + minute)
  const waits: number[] = []
  let entry: LedgerEntry | undefined
  for (let at = hour; waits.length < 7; at = entry?.nextLookAt ?? Infinity) {
    entry = entryAfter('s', fileHour, entry, failed, at)
    waits.push((entry.nextLookAt ?? Infinity) - at)
  }
  assert.deepEqual(
    waits,
    [1, 2, 4, 8, 15, 15, 15].map((m) => m * minute),
  )
})

test('one failed poll of an open hour, after many good ones, puts it off by one poll only', () => {
  const open: Unit = { ...fileHour, opensAt: 0, closesAt: hour, pollEveryMs: 15_000 }
  let entry: LedgerEntry | undefined
  for (let poll = 0; poll < 20; poll++) {
    const reading: Reading = { state: 'published', lines: 1, bytes: 1, digest: String(poll) }
    entry = entryAfter('s', open, entry, reading, poll * 15_000)
  }
  const after = entryAfter('s', open, entry, failed, 20 * 15_000)
  assert.equal(after.nextLookAt, 21 * 15_000)
})

test('an open hour that fails poll after poll is asked more and more calmly, until it works again', () => {
  const open: Unit = { ...fileHour, opensAt: 0, closesAt: hour, pollEveryMs: 15_000 }
  let entry: LedgerEntry | undefined
  const waits: number[] = []
  for (let at = minute; waits.length < 5; at = entry?.nextLookAt ?? Infinity) {
    entry = entryAfter('s', open, entry, failed, at)
    waits.push((entry.nextLookAt ?? Infinity) - at)
  }
  assert.deepEqual(waits, [15_000, 30_000, minute, minute, minute])
  entry = entryAfter('s', open, entry, published, 30 * minute)
  assert.equal(entryAfter('s', open, entry, failed, 31 * minute).nextLookAt, 31 * minute + 15_000)
})

test('however slow the readings, every open hour and every closed one has its turn', () => {
  const channels = Array.from({ length: 40 }, (_, n) => String(n))
  const at = { opensAt: hour, closesAt: 2 * hour, pollEveryMs: 15_000 }
  const units = channels.flatMap((channel) => [
    { ...fileHour, ...at, name: `${channel}/open` },
    { ...fileHour, ...at, name: `${channel}/closed`, opensAt: 0, closesAt: hour },
  ])
  const entries = new Map<string, LedgerEntry>()
  const read = new Set<string>()
  let nowMs = hour
  for (let turn = 0; turn < 400; turn++, nowMs += 600) {
    const unit = nextUnit(dueUnits(units, entries, nowMs), turn)?.unit
    if (!unit) continue
    read.add(unit.name)
    const reading: Reading = { state: 'published', lines: 1, bytes: 1, digest: String(turn) }
    entries.set(unit.name, entryAfter('s', unit, entries.get(unit.name), reading, nowMs))
  }
  assert.equal(read.size, 80)
})

test('a failed unit is tried again; a lost one is closed with its reason', () => {
  const twice = after(fileHour, [failed, hour], [failed, 2 * hour])
  assert.deepEqual(
    [twice.state, twice.nextLookAt, twice.firstTriedAt],
    ['failed', 2 * hour + 2 * minute, hour],
  )
  const gone = entryAfter('s', fileHour, twice, lost, 80 * hour)
  assert.deepEqual([gone.state, gone.reason, gone.nextLookAt], ['lost', 'gone', null])
  assert.deepEqual(dueUnits([fileHour], new Map([['h', gone]]), 1_000 * hour), [])
})

test('an open hour is pending and polled until it closes, with its lines so far', () => {
  const entry = after(liveHour, [published, minute])
  assert.deepEqual([entry.state, entry.lines, entry.publishedAt], ['pending', 3, null])
  assert.equal(entry.nextLookAt, minute + 15_000)
  const last = entryAfter('s', liveHour, entry, published, hour - 1)
  assert.equal(last.nextLookAt, hour, 'the reading that closes it is not put off')
  const closed = entryAfter('s', liveHour, last, published, hour)
  assert.deepEqual(
    [closed.state, closed.publishedAt, closed.nextLookAt],
    ['published', hour, hour + 10 * minute],
  )
})

test('an open hour without messages is no news, and a failed poll does not close it', () => {
  assert.deepEqual(
    [after(liveHour, [empty, minute]).state, after(liveHour, [empty, minute]).reason],
    ['pending', null],
  )
  const entry = after(liveHour, [published, minute], [failed, 2 * minute], [empty, 3 * minute])
  assert.deepEqual([entry.state, entry.lines], ['pending', 3])
})

test('live hours come first, then hours about to expire, then second looks, then the rest, newest first', () => {
  const now = 70 * hour
  const unit = (name: string, opensAt: number): Unit => ({
    ...fileHour,
    name,
    opensAt,
    closesAt: opensAt,
    deadline: opensAt + 71 * hour,
  })
  const units = [
    unit('expiring', 2 * hour),
    unit('expiring later', 3 * hour),
    unit('old', 20 * hour),
    unit('seen', 30 * hour),
    unit('young', 40 * hour),
    unit('just closed', now - minute),
  ]
  const open = { ...liveHour, name: 'open', opensAt: now - 2 * minute, closesAt: now + minute }
  const entries = new Map([['seen', entryAfter('s', units[3]!, undefined, published, 31 * hour)]])
  assert.deepEqual(
    dueUnits([...units, open], entries, now).map((due) => due.unit.name),
    ['open', 'just closed', 'expiring', 'expiring later', 'seen', 'young', 'old'],
  )
})

test('second looks are taken oldest first: the oldest is the next to expire', () => {
  const units = [2, 1, 3].map((at): Unit => ({ ...fileHour, name: String(at), opensAt: at * hour }))
  const entries = new Map(
    units.map((unit) => [unit.name, entryAfter('s', unit, undefined, published, 4 * hour)]),
  )
  assert.deepEqual(
    dueUnits(units, entries, 20 * hour).map(({ unit }) => unit.name),
    ['1', '2', '3'],
  )
})

test('a failed unit is due at once for a process that has not tried it', () => {
  const entries = new Map([['h', after(fileHour, [failed, hour])]])
  assert.equal(dueUnits([fileHour], entries, hour + 1).length, 1)
  assert.equal(dueUnits([fileHour], entries, hour + 1, new Set(['h'])).length, 0)
  assert.equal(dueUnits([fileHour], entries, hour + minute, new Set(['h'])).length, 1)
})

test('units are counted by what became of them', () => {
  const unit = (name: string, opensAt = hour): Unit => ({ ...fileHour, name, opensAt })
  const entries = new Map(
    Object.entries({ published, empty, failed, lost }).map(([name, reading]) => [
      name,
      entryAfter('s', unit(name), undefined, reading, hour),
    ]),
  )
  const units = [...[...entries.keys(), 'unread'].map((name) => unit(name)), unit('to come', 1_000 * hour)]
  assert.deepEqual(countUnits(units, entries, 2 * hour), { done: 2, due: 1, lost: 1, failed: 1 })
})

const anyReading: fc.Arbitrary<Reading> = fc.oneof(
  fc.record({
    state: fc.constant('published' as const),
    lines: fc.nat(),
    bytes: fc.nat(),
    digest: fc.string(),
  }),
  fc.record({ state: fc.constant('empty' as const), reason: fc.string() }),
  fc.record({ state: fc.constant('lost' as const), reason: fc.string() }),
  fc.record(
    {
      state: fc.constantFrom('not_yet' as const, 'failed' as const),
      reason: fc.string(),
      retryAfterMs: fc.oneof(fc.constant(0), fc.nat({ max: 2 * hour })),
    },
    { requiredKeys: ['state', 'reason'] },
  ),
)

test('after any sequence of readings a unit is closed, or due later than its reading', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(fileHour, liveHour),
      fc.array(fc.tuple(anyReading, fc.integer({ min: 1, max: 30 * hour })), { minLength: 1, maxLength: 30 }),
      (unit, steps) => {
        let entry: LedgerEntry | undefined
        let now = unit.opensAt
        let wasPublished = false
        for (const [reading, later] of steps) {
          now += later
          entry = entryAfter('s', unit, entry, reading, now)
          assert.ok(entry.nextLookAt === null || entry.nextLookAt > now)
          assert.equal(entry.lastTriedAt, now)
          if (wasPublished) assert.equal(entry.state, 'published')
          wasPublished ||= entry.state === 'published'
          if (entry.state === 'published' || entry.state === 'empty') assert.notEqual(entry.publishedAt, null)
        }
        assert.equal(entry?.attempts, steps.length)
      },
    ),
    { numRuns: 500 },
  )
})
