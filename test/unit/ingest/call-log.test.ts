import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { CallLog, inMemory } from '../../../src/ingest/call-log.ts'
import { silentLog } from '../../../src/log.ts'
import { temporaryFolder } from '../../support/chatfeed.ts'

const limit = { countedBy: 'a1.example.com acme#desk', calls: 2, windowMs: 60_000 }
const history = { name: 'history', calls: 2 }

function openLog(t: TestContext, path: string, log = silentLog): CallLog {
  const calls = new CallLog(path, log)
  t.after(() => {
    calls.close()
  })
  return calls
}

test('a restart does not refill the limit, and another account is not held back', (t) => {
  const path = join(temporaryFolder(t), 'data', 'calls.db')
  const before = openLog(t, path)
  assert.equal(before.take(limit, history, 1_000), 0)
  assert.equal(before.take(limit, history, 11_000), 0)
  const after = openLog(t, path)
  assert.equal(after.take(limit, history, 21_000), 40_000)
  assert.equal(after.take({ ...limit, countedBy: 'a1.example.com acme#shop' }, history, 21_000), 0)
  assert.equal(after.take(limit, history, 61_000), 0)
})

test('no window holds more calls than allowed, wherever it begins, and nobody waits longer than need be', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(900), { maxLength: 40 }), (most, pauses) => {
      const calls = new CallLog(inMemory, silentLog)
      const windowMs = 1_000
      const granted: number[] = []
      let now = 0
      for (const pause of pauses) {
        now += pause
        const waitMs = calls.take({ ...limit, calls: most, windowMs }, { name: 'history', calls: most }, now)
        const earlier = granted.filter((at) => at > now - windowMs)
        assert.equal(waitMs, earlier.length < most ? 0 : earlier.at(-most)! + windowMs - now)
        if (waitMs === 0) granted.push(now)
      }
      calls.close()
    }),
  )
})

test('a ban holds across restarts, for everyone whom the provider counts together', (t) => {
  const path = join(temporaryFolder(t), 'calls.db')
  const banned = openLog(t, path)
  banned.pause(limit.countedBy, 301_000)
  banned.pause(limit.countedBy, 2_000)
  const after = openLog(t, path)
  assert.equal(after.pausedMs(limit.countedBy, 1_000), 300_000)
  assert.equal(after.pausedMs(limit.countedBy, 301_000), 0)
  assert.equal(after.pausedMs('a1.example.com acme#shop', 1_000), 0)
})

test('calls and bans of a clock that was set back are forgotten', (t) => {
  const calls = openLog(t, ':memory:')
  const day = 86_400_000
  calls.take(limit, history, 10 * day)
  calls.take(limit, history, 10 * day)
  calls.pause(limit.countedBy, 10 * day + 300_000)
  assert.equal(calls.take(limit, history, day), 0)
  assert.equal(calls.pausedMs(limit.countedBy, day), 0)
})

test('a file that is of no use is replaced by memory, with a warning', (t) => {
  const path = join(temporaryFolder(t), 'calls.db')
  writeFileSync(path, 'this is no database, though it is long enough to be taken for one'.repeat(20))
  let logged = ''
  const calls = openLog(t, path, pino({}, { write: (line: string) => void (logged += line) }))
  assert.match(logged, /in memory only: check that dataDir/)
  assert.equal(calls.take(limit, history, 1_000), 0)
  assert.equal(calls.take(limit, history, 1_000), 0)
  assert.equal(calls.take(limit, history, 1_000), 60_000)
})
