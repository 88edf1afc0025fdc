import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  formatTime,
  hourMs,
  parseTime,
  parseUnitName,
  startOfHour,
  unitName,
} from '../../../../src/providers/polyv/hours.ts'

const noonInChina = Date.parse('2026-11-23T04:00:00Z')

/** The host stands in this zone until the test ends. */
function hostIn(t: TestContext, zone: string): void {
  const before = process.env.TZ
  process.env.TZ = zone
  t.after(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })
}

for (const zone of ['America/New_York', 'Asia/Shanghai', 'Asia/Kolkata', 'UTC']) {
  test(`times are those of China on a host in ${zone}`, (t) => {
    hostIn(t, zone)
    assert.equal(formatTime(noonInChina), '2026-11-23 12:00:00')
    assert.equal(formatTime(noonInChina + 999), '2026-11-23 12:00:00')
    assert.equal(parseTime('2026-11-23 12:00:00'), noonInChina)
    assert.equal(parseTime('2026-11-23'), noonInChina - 12 * hourMs)
    assert.equal(unitName('2477096', noonInChina), '2477096/2026112312')
    assert.deepEqual(parseUnitName('2477096/2026112312'), { channel: '2477096', startMs: noonInChina })
  })
}

test('the host’s zone really changes in these tests', (t) => {
  hostIn(t, 'America/New_York')
  assert.equal(new Date(noonInChina).getHours(), 23)
})

test('midnight, new year and the hours of a summer-time change elsewhere are ordinary hours', (t) => {
  hostIn(t, 'America/New_York')
  assert.equal(unitName('1', Date.parse('2026-12-31T16:00:00Z')), '1/2027010100')
  const springForward = Date.parse('2026-03-08T06:00:00Z')
  const names = [0, 1, 2].map((hours) => unitName('1', springForward + hours * hourMs))
  assert.deepEqual(names, ['1/2026030814', '1/2026030815', '1/2026030816'])
})

test('every hour of two years goes through its unit name and back', () => {
  const from = Date.parse('2025-12-31T16:00:00Z')
  for (let startMs = from; startMs < from + 2 * 366 * 24 * hourMs; startMs += hourMs) {
    assert.equal(parseUnitName(unitName('5', startMs))?.startMs, startMs)
  }
})

test('start of the hour cuts minutes off', () => {
  assert.equal(startOfHour(noonInChina + hourMs - 1), noonInChina)
  assert.equal(startOfHour(noonInChina), noonInChina)
})

test('what is no time and no unit is null', () => {
  for (const text of [
    '',
    '2026-02-30',
    '2026-11-23T12:00:00',
    '2026-11-23 24:00:00',
    '2026-11-23 12:00',
    'x',
  ]) {
    assert.equal(parseTime(text), null, text)
  }
  for (const name of [
    '',
    '1',
    '1/20261123',
    '1/2026112324',
    '1/2026133112',
    'import/a.json',
    '1/2026112312/2',
  ]) {
    assert.equal(parseUnitName(name), null, name)
  }
})
