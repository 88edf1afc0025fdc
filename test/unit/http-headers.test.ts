import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dateOf, originOf, retryAfterOf } from '../../src/http-headers.ts'

const nowMs = Date.parse('2026-11-23T03:20:00Z')

test('waiting times are read in seconds and as dates, within bounds', () => {
  const cases: [header: string | string[] | undefined, waitMs: number | null][] = [
    ['120', 120_000],
    [' 1.5 ', 1_500],
    ['0.01', 1_000],
    ['86400', 3_600_000],
    ['Mon, 23 Nov 2026 03:20:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 03:19:00 GMT', 0],
    ['0', 0],
    ['-5', null],
    ['soon', null],
    ['', null],
    [undefined, null],
    [['1', '2'], null],
  ]
  for (const [header, waitMs] of cases) assert.equal(retryAfterOf(header, nowMs), waitMs, String(header))
})

test('dates are moments or nothing', () => {
  assert.equal(dateOf('Mon, 23 Nov 2026 03:20:00 GMT'), nowMs)
  assert.equal(dateOf('no date'), null)
  assert.equal(dateOf(undefined), null)
})

test('of a redirect only scheme and host are told', () => {
  assert.equal(originOf('https://api.example/x?sign=A&appId=B', 'http://a.example/y'), 'https://api.example')
  assert.equal(originOf('/login?sign=A', 'http://a.example/y'), 'http://a.example')
  assert.equal(originOf('https://user:pass@api.example/', 'http://a.example'), 'https://api.example')
  assert.equal(originOf('mailto:x', 'http://a.example'), null)
  assert.equal(originOf('http://[', 'http://a.example'), null)
  assert.equal(originOf(undefined, 'http://a.example'), null)
})
