import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entryAfter, newEntry } from '../../../src/ingest/entry.ts'
import { countUnits, dueUnits, nextDueAt, nextUnit } from '../../../src/ingest/schedule.ts'
import type { LedgerEntry } from '../../../src/model.ts'
import type { Reading, Unit } from '../../../src/providers/provider.ts'
import { after, empty, failed, fileHour, hour, liveHour, lost, minute, published } from './readings.ts'

test('a unit nobody has tried is due when it opens, and not before', () => {
  assert.deepEqual(dueUnits([fileHour], new Map(), hour - 1), [])
  assert.equal(dueUnits([fileHour], new Map(), hour)[0]?.unit, fileHour)
  assert.equal(nextDueAt([fileHour], new Map()), hour)
  assert.equal(newEntry('s', fileHour).nextLookAt, hour)
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

test('an open hour that is polled as often as it should be is not due; one that is left alone is', () => {
  const entry = after(liveHour, [published, minute])
  const entries = new Map([[liveHour.name, entry]])
  const polledAt = entry.nextLookAt ?? 0
  assert.equal(countUnits([liveHour], entries, polledAt + minute - 1).due, 0)
  assert.equal(countUnits([liveHour], entries, polledAt + minute).due, 1)
  assert.equal(countUnits([liveHour], new Map(), minute).due, 1)
})
