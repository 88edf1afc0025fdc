import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseZone } from '../../../../src/providers/easemob/hours.ts'
import { ZoneCheck } from '../../../../src/providers/easemob/zone-check.ts'
import { hourMs, hourStartMs } from './support.ts'

/** Judges messages that lie so many hours after the hour that was asked for. */
function judged(zone: string, ...shifts: (number | null)[]) {
  const check = new ZoneCheck(hourStartMs, parseZone(zone)!)
  for (const [index, shift] of shifts.entries())
    check.add(shift === null ? null : hourStartMs + shift * hourMs + index)
  return check.finding()
}

test('an hour that holds its messages has no finding, nor one of few messages', () => {
  assert.equal(judged('+08:00', 0, 0, 0, 0, 0), null)
  assert.equal(judged('+08:00', 0, 0, 0, 8, 8, 8), null)
  assert.equal(judged('+08:00', 8, 8, 8, 8), null)
  assert.equal(judged('+08:00', 8, 8, 8, 8, null, null), null)
  assert.equal(judged('+08:00'), null)
})

test('messages that lie in one other hour name the zone that would fit', () => {
  const all = (shift: number) => Array<number>(9).fill(shift)
  const text = (zone: string) => `9 of 10 messages lie outside this hour; they would fit timeZone "${zone}"`
  assert.equal(judged('+08:00', 0, ...all(8)), text('Z'))
  assert.equal(judged('Z', 0, ...all(-8)), text('+08:00'))
  assert.equal(judged('+06:00', 0, ...all(9)), text('-03:00'))
})

test('messages of all hours, or of a zone that is none, say only which setting to check', () => {
  const text = 'lie outside this hour: check timeZone'
  assert.equal(judged('+08:00', 1, 2, 3, 4, 5, 6), `6 of 6 messages ${text}`)
  assert.equal(judged('+08:00', -30, -30, -30, -30, -30), `5 of 5 messages ${text}`)
})
