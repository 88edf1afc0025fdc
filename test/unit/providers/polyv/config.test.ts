import assert from 'node:assert/strict'
import { test } from 'node:test'
import { polyvConfig } from '../../../../src/providers/polyv/config.ts'

const entry = { name: 'live', provider: 'polyv', appId: 'app', appSecret: 'secret', channels: ['2477096'] }

/** `path: message` of every fault of an entry. */
function faults(change: Record<string, unknown>): string[] {
  const result = polyvConfig.safeParse({ ...entry, ...change })
  return result.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
}

test('a short entry gets the documented defaults', () => {
  assert.deepEqual(polyvConfig.parse(entry), {
    ...entry,
    baseUrl: 'https://api.polyv.net',
    endpoint: 'v2-history',
    statuses: ['pass', 'censor'],
    scopes: ['public', 'extend'],
    rooms: [],
    pageSize: 1000,
    since: { agoMs: 86_400_000 },
    pollEvery: 15_000,
    lookAgain: [600_000, 3_600_000, 86_400_000],
    ratePer10s: 200,
  })
})

test('durations, a slash at the end of baseUrl and channels named twice are put right', () => {
  const config = polyvConfig.parse({
    ...entry,
    baseUrl: 'http://127.0.0.1:99/',
    channels: ['1', '2', '1'],
    since: '2026-11-23T10:00:00+08:00',
    pollEvery: '3s',
    lookAgain: ['1m'],
  })
  assert.equal(config.baseUrl, 'http://127.0.0.1:99')
  assert.deepEqual(config.channels, ['1', '2'])
  assert.deepEqual(config.since, { atMs: Date.parse('2026-11-23T02:00:00Z') })
  assert.deepEqual([config.pollEvery, config.lookAgain], [3_000, [60_000]])
})

test('second looks are taken in the order of time', () => {
  assert.deepEqual(
    polyvConfig.parse({ ...entry, lookAgain: ['24h', '2m', '1h'] }).lookAgain,
    [120_000, 3_600_000, 86_400_000],
  )
})

test('the five endpoints are taken, others refused by name', () => {
  for (const endpoint of ['v2-history', 'v2-page', 'v3-history', 'v3-page', 'v3-speak'])
    assert.deepEqual(faults({ endpoint }), [])
  assert.deepEqual(faults({ endpoint: 'v9' }), [
    'endpoint: write v2-history or v2-page or v3-history or v3-page or v3-speak',
  ])
})

test('channels are all of the account, or numbers as text', () => {
  assert.equal(polyvConfig.parse({ ...entry, channels: 'all' }).channels, 'all')
  assert.equal(polyvConfig.parse({ ...entry, channels: ['all'] }).channels, 'all')
  assert.deepEqual(faults({ channels: 'some' }), [
    'channels: write all, or list the channel numbers, such as ["2477096"]',
  ])
  assert.deepEqual(faults({ channels: [] }), ['channels: name at least one channel'])
})

test('every fault is named at once with its path', () => {
  const found = faults({
    appSecret: ' ',
    channels: [2477096],
    pollEvery: 'often',
    chanels: [],
    pageSize: 1001,
  })
  assert.deepEqual(
    found.map((fault) => fault.split(':')[0]),
    ['appSecret', 'channels.0', 'pageSize', 'pollEvery', ''],
  )
  assert.match(found[1] ?? '', /as text/)
  assert.match(found[4] ?? '', /chanels/)
})

test('a channel that could leave its place in the address is refused', () => {
  assert.equal(faults({ channels: ['../user'] }).length, 1)
})
