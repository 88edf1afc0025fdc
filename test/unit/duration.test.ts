import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duration, durationOrTime, parseDuration, sinceMs } from '../../src/duration.ts'

test('durations become milliseconds', () => {
  const texts = {
    '250ms': 250,
    '15s': 15_000,
    '5m': 300_000,
    '72h': 259_200_000,
    '30d': 2_592_000_000,
    '1w': 604_800_000,
  }
  for (const [text, ms] of Object.entries(texts)) assert.equal(duration.parse(text), ms)
  assert.equal(duration.parse('1.5h'), 5_400_000)
  assert.equal(duration.parse('0s'), 0)
})

test('what is no duration is refused with an example', () => {
  for (const value of ['', '5', 'h', '-5m', '5 m', '5min', '1h30m', '1e3s', `${'9'.repeat(30)}w`]) {
    assert.equal(parseDuration(value), null, value)
    assert.match(duration.safeParse(value).error?.issues[0]?.message ?? '', /30s, 5m, 72h or 30d/)
  }
  assert.equal(duration.safeParse(5).success, false)
})

test('a beginning is a duration back from now or a time with its zone', () => {
  const now = Date.UTC(2026, 10, 24)
  assert.equal(sinceMs(durationOrTime.parse('24h'), now), Date.UTC(2026, 10, 23))
  assert.equal(sinceMs(durationOrTime.parse('2026-11-23T10:00:00+08:00'), now), Date.UTC(2026, 10, 23, 2))
  assert.equal(sinceMs(durationOrTime.parse('2026-11-23T10:00Z'), now), Date.UTC(2026, 10, 23, 10))
  assert.equal(sinceMs(durationOrTime.parse('2026-11-23'), now), Date.UTC(2026, 10, 23))
  for (const text of ['yesterday', '2026-11-23T10:00:00', '2026-13-01', '23.11.2026', '']) {
    assert.equal(durationOrTime.safeParse(text).success, false, text)
  }
})
