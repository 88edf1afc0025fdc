import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hourMs, hourName, hourStart, parseHour, parseZone } from '../../../../src/providers/easemob/hours.ts'

const beijing = 8 * hourMs

test('an hour is named in the zone of its cluster', () => {
  const at = Date.parse('2018-05-20T07:24:33Z')
  assert.equal(hourName(at, beijing), '2018052015')
  assert.equal(hourName(at, 0), '2018052007')
  assert.equal(hourStart(at, beijing), Date.parse('2018-05-20T07:00:00Z'))
  assert.equal(parseHour('2018052015', beijing), Date.parse('2018-05-20T07:00:00Z'))
})

test('the first millisecond of an hour belongs to it, also across midnight and the year', () => {
  const newYear = Date.parse('2026-12-31T16:00:00Z')
  assert.equal(hourName(newYear, beijing), '2027010100')
  assert.equal(hourName(newYear - 1, beijing), '2026123123')
})

test('zones of half hours have their own hours', () => {
  const india = parseZone('+05:30')!
  assert.equal(hourName(Date.parse('2026-11-23T10:29:59Z'), india), '2026112315')
  assert.equal(hourStart(Date.parse('2026-11-23T10:31:00Z'), india), Date.parse('2026-11-23T10:30:00Z'))
})

test('zones are offsets or Z', () => {
  assert.equal(parseZone('+08:00'), beijing)
  assert.equal(parseZone('-03:30'), -3.5 * hourMs)
  assert.equal(parseZone('Z'), 0)
  for (const text of ['', '8', '+8', '+15:00', '+08:60', 'UTC', 'Asia/Shanghai'])
    assert.equal(parseZone(text), null)
})

test('names that are no hour are none', () => {
  for (const name of ['', '2018052098', '2026022910', '2026113124', '20261123', '2026112310x', 'import/x']) {
    assert.equal(parseHour(name, beijing), null, name)
  }
})

test('name and start belong together for any moment and zone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -28, max: 28 }), (atMs, halfHours) => {
      const zoneMs = (halfHours * hourMs) / 2
      const startMs = hourStart(atMs, zoneMs)
      assert.ok(startMs <= atMs && atMs < startMs + hourMs)
      assert.equal(parseHour(hourName(atMs, zoneMs), zoneMs), startMs)
    }),
  )
})
