import assert from 'node:assert/strict'
import { test } from 'node:test'
import { easemobConfig } from '../../../../src/providers/easemob/config.ts'

const entry = {
  name: 'support',
  provider: 'easemob',
  baseUrl: 'https://a1.easemob.com/',
  org: 'acme',
  app: 'helpdesk',
  clientId: 'id',
  clientSecret: 'secret',
}

function faults(change: Record<string, unknown>): string {
  const { error } = easemobConfig.safeParse({ ...entry, ...change })
  return (error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n')
}

test('a short entry has the defaults of the documents', () => {
  assert.deepEqual(easemobConfig.parse(entry), {
    ...entry,
    baseUrl: 'https://a1.easemob.com',
    mode: 'files',
    timeZone: 8 * 3_600_000,
    since: { agoMs: 72 * 3_600_000 },
    settle: 3_600_000,
    pollEvery: 30_000,
    lookAgain: [6 * 3_600_000, 24 * 3_600_000],
    retention: 72 * 3_600_000,
    ratePerMinute: 10,
  })
})

test('every key can be set', () => {
  const config = easemobConfig.parse({
    ...entry,
    mode: 'pull',
    timeZone: 'Z',
    pollEvery: '10s',
    since: '2026-11-23T00:00:00Z',
    settle: '2h',
    lookAgain: [],
    retention: '7d',
    ratePerMinute: 1,
    unread: { users: ['alice', '10086'], every: '10s' },
  })
  assert.equal(config.mode, 'pull')
  assert.equal(config.pollEvery, 10_000)
  assert.deepEqual(config.unread, { users: ['alice', '10086'], every: 10_000 })
  assert.equal(config.timeZone, 0)
  assert.deepEqual(config.since, { atMs: Date.UTC(2026, 10, 23) })
  assert.deepEqual(config.lookAgain, [])
})

test('unread counts need users, each once, as text, and are not asked for all the time', () => {
  assert.deepEqual(easemobConfig.parse({ ...entry, unread: { users: ['alice'] } }).unread, {
    users: ['alice'],
    every: 300_000,
  })
  assert.match(faults({ unread: {} }), /^unread\.users: list the users/)
  assert.match(faults({ unread: { users: [] } }), /^unread\.users: name at least one user/)
  assert.match(faults({ unread: { users: ['a', 'b', 'a'] } }), /^unread\.users: names a user twice/)
  assert.match(faults({ unread: { users: [10086] } }), /^unread\.users\.0: .*"10086" \(with quotes in YAML\)/)
  for (const user of ['', '.', '..', 'a\nb', 'a\ud800']) {
    assert.match(faults({ unread: { users: [user] } }), /^unread\.users\.0: is no user name/, user)
  }
  assert.match(faults({ unread: { users: ['a'], every: '9s' } }), /^unread\.every: /)
  assert.match(faults({ unread: { users: ['a'], colour: 'red' } }), /colour/)
})

test('second looks come in the order of their age, however they are listed', () => {
  const { lookAgain } = easemobConfig.parse({ ...entry, lookAgain: ['24h', '10m', '6h'] })
  assert.deepEqual(lookAgain, [600_000, 6 * 3_600_000, 24 * 3_600_000])
})

test('faults are found with their path', () => {
  assert.match(faults({ baseUrl: 'a1.easemob.com' }), /^baseUrl: .*https:\/\/a1\.easemob\.com/)
  assert.match(faults({ baseUrl: 'https://user:pw@a1.easemob.com' }), /^baseUrl: /)
  assert.match(faults({ org: 'a/b' }), /^org: /)
  assert.match(faults({ app: '..' }), /^app: /)
  assert.match(faults({ clientSecret: '' }), /^clientSecret: must not be empty/)
  assert.match(faults({ timeZone: 'Asia/Shanghai' }), /^timeZone: .*\+08:00/)
  assert.match(faults({ mode: 'push' }), /^mode: write files, or pull/)
  assert.match(faults({ pollEvery: '500ms' }), /^pollEvery: /)
  assert.match(faults({ settle: 'soon' }), /^settle: .*30s/)
  assert.match(faults({ lookAgain: ['6h', 'x'] }), /^lookAgain\.1: /)
  assert.match(faults({ ratePerMinute: 0 }), /^ratePerMinute: /)
  assert.match(faults({ colour: 'red' }), /colour/)
})
