import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { entryAfter } from '../../../src/ingest/entry.ts'
import { dueUnits } from '../../../src/ingest/schedule.ts'
import type { LedgerEntry } from '../../../src/model.ts'
import type { Reading, Unit } from '../../../src/providers/provider.ts'
import { after, empty, failed, fileHour, hour, liveHour, lost, minute, published } from './readings.ts'

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

test('a poll that began before the hour closed does not open again what a backfill has read after it', () => {
  const previous = after(liveHour, [published, 2 * hour])
  for (const reading of [published, empty]) {
    const entry = entryAfter('s', liveHour, previous, reading, hour - 1)
    assert.deepEqual([entry.state, entry.publishedAt], ['published', 2 * hour])
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
