import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEntry } from '../../../../src/ingest/entry.ts'
import type { LedgerEntry } from '../../../../src/model.ts'
import { hourMs, unitName } from '../../../../src/providers/polyv/hours.ts'
import { UnitList } from '../../../../src/providers/polyv/units.ts'
import { morningMs } from './harness.ts'

/** A ledger that counts how often it is gone through. */
class CountedLedger extends Map<string, LedgerEntry> {
  walks = 0;

  override [Symbol.iterator](): MapIterator<[string, LedgerEntry]> {
    this.walks++
    return super[Symbol.iterator]()
  }
}

const add = (
  known: Map<string, LedgerEntry>,
  channel: string,
  hoursAgo: number,
  nextLookAt: number | null,
) => {
  const opensAt = morningMs - (morningMs % hourMs) - hoursAgo * hourMs
  const name = unitName(channel, opensAt)
  known.set(name, { ...newEntry('live', { name, opensAt, deadline: null }), nextLookAt })
  return name
}

const isWanted = () => true
const isAside = () => false
const newList = () => new UnitList({ since: { agoMs: 0 }, pollEvery: 15_000, lookAgain: [60_000] })

test('the ledger is gone through again when the hour or the channels change, or 30 s have passed', () => {
  const known = new CountedLedger()
  add(known, '1', 0, 1)
  const units = newList()
  const list = (channels: string[], nowMs: number) => units.list(channels, nowMs, known, isWanted, isAside)
  const steps: [channels: string[], afterMs: number, walks: number][] = [
    [['1'], 0, 1],
    [['1'], 29_999, 1],
    [['1', '2'], 29_999, 2],
    [['1', '2'], 59_998, 2],
    [['1', '2'], 59_999, 3],
    [['1', '2'], 60_000, 3],
    [['1', '2'], 40 * 60_000 - 1, 4],
    [['1', '2'], 40 * 60_000, 5],
    [['1', '2'], 0, 6],
  ]
  for (const [channels, afterMs, walks] of steps) {
    list(channels, morningMs + afterMs)
    assert.equal(known.walks, walks, `${channels.join()} after ${afterMs} ms`)
  }
})

test('an hour that somebody else has left unfinished is listed within 30 s', () => {
  const known = new Map<string, LedgerEntry>()
  add(known, '1', 0, 1)
  const units = newList()
  const names = (nowMs: number) => units.list(['1'], nowMs, known, isWanted, isAside).map(({ name }) => name)
  assert.equal(names(morningMs).length, 1)
  const late = add(known, '1', 5, 1)
  assert.equal(names(morningMs + 30_000)[0], late)
})

test('an hour of a channel that is not listed any more leaves the list once it is finished', () => {
  const known = new Map<string, LedgerEntry>()
  const name = add(known, '9', 2, 1)
  const units = newList()
  const names = () => units.list([], morningMs, known, isWanted, isAside).map((unit) => unit.name)
  assert.deepEqual(names(), [name])
  add(known, '9', 2, null)
  assert.deepEqual(names(), [])
})

test('of a channel that is set aside the newest hour and the oldest unfinished one are listed', () => {
  const known = new Map<string, LedgerEntry>()
  for (const hoursAgo of [6, 5, 3]) add(known, '1', hoursAgo, null)
  add(known, '2', 0, null)
  const units = newList()
  const names = () => units.list(['1', '2'], morningMs, known, isWanted, () => true).map(({ name }) => name)
  assert.deepEqual(names(), ['1/2026112307', '1/2026112311', '2/2026112311'])
  add(known, '1', 4, null)
  assert.deepEqual(names(), ['1/2026112309', '1/2026112311', '2/2026112311'])
})
