import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DatabaseSync } from '@photostructure/sqlite'
import fc from 'fast-check'
import { pino } from 'pino'
import { CallLog, inMemory } from '../../../src/ingest/call-log.ts'
import { silentLog } from '../../../src/log.ts'
import { temporaryFolder } from '../../support/chatfeed.ts'

const limit = { countedBy: 'a1.example.com acme#desk', calls: 2, windowMs: 60_000 }
const history = { name: 'history', calls: 2 }
const granted = { state: 'granted' }

/** A log with a clock to set. */
function openLog(t: TestContext, path: string, log = silentLog) {
  const clock = { nowMs: 1_000 }
  const calls = new CallLog(path, log, () => clock.nowMs)
  t.after(() => {
    calls.close()
  })
  const takeAt = (nowMs: number, of = limit) => {
    clock.nowMs = nowMs
    return calls.take(of, history)
  }
  return { calls, clock, takeAt }
}

test('a restart does not refill the limit, and another account is not held back', (t) => {
  const path = join(temporaryFolder(t), 'data', 'calls.db')
  const before = openLog(t, path)
  assert.deepEqual(before.takeAt(1_000), granted)
  assert.deepEqual(before.takeAt(11_000), granted)
  const after = openLog(t, path)
  assert.deepEqual(after.takeAt(21_000), { state: 'wait', ms: 40_000 })
  assert.deepEqual(after.takeAt(21_000, { ...limit, countedBy: 'a1.example.com acme#shop' }), granted)
  assert.deepEqual(after.takeAt(61_000), granted)
})

test('no window holds more calls than allowed, wherever it begins, and nobody waits longer than need be', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(900), { maxLength: 40 }), (most, pauses) => {
      let now = 0
      const calls = new CallLog(inMemory, silentLog, () => now)
      const windowMs = 1_000
      const grants: number[] = []
      for (const pause of pauses) {
        now += pause
        const permission = calls.take({ ...limit, calls: most, windowMs }, { name: 'history', calls: most })
        const earlier = grants.filter((at) => at > now - windowMs)
        const waitMs = earlier.length < most ? 0 : earlier.at(-most)! + windowMs - now
        assert.deepEqual(permission, waitMs === 0 ? granted : { state: 'wait', ms: waitMs })
        if (waitMs === 0) grants.push(now)
      }
      calls.close()
    }),
  )
})

test('several processes at once are not granted more than the limit', async (t) => {
  const path = join(temporaryFolder(t), 'calls.db')
  const script = fileURLToPath(new URL('../../support/call-taker.ts', import.meta.url))
  const words = ['--import', 'tsx', script, path, '200', '3600000']
  const takers = await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, words)))
  const each = takers.map(({ stdout }) => Number(stdout))
  assert.equal(
    each.reduce((sum, calls) => sum + calls),
    200,
    each.join(' + '),
  )
})

test('a rest holds across restarts, for everyone whom the provider counts together', (t) => {
  const path = join(temporaryFolder(t), 'calls.db')
  const banned = openLog(t, path)
  banned.calls.rest(limit.countedBy, 300_000)
  banned.calls.rest(limit.countedBy, 2_000)
  const after = openLog(t, path)
  assert.deepEqual(after.takeAt(1_000), { state: 'rest', ms: 300_000 })
  assert.deepEqual(after.takeAt(1_000, { ...limit, countedBy: 'a1.example.com acme#shop' }), granted)
  assert.deepEqual(after.takeAt(301_000), granted)
})

test('while another process holds the file, nobody may call, and nothing is forgotten', (t) => {
  const path = join(temporaryFolder(t), 'calls.db')
  const { calls, takeAt } = openLog(t, path)
  takeAt(1_000)
  takeAt(1_000)
  const other = new DatabaseSync(path)
  other.exec('BEGIN EXCLUSIVE')
  assert.deepEqual(takeAt(2_000), { state: 'wait', ms: 100 })
  calls.rest(limit.countedBy, 300_000)
  other.exec('ROLLBACK')
  other.close()
  assert.deepEqual(takeAt(2_000), { state: 'rest', ms: 300_000 }, 'a rest that the file could not take')
  assert.deepEqual(openLog(t, path).takeAt(2_000), { state: 'wait', ms: 59_000 })
  assert.equal(calls.trouble, null)
})

test('calls and rests of a clock that was set back are forgotten', (t) => {
  const { calls, takeAt } = openLog(t, inMemory)
  const day = 86_400_000
  takeAt(10 * day)
  takeAt(10 * day)
  calls.rest(limit.countedBy, 300_000)
  assert.deepEqual(takeAt(day), granted)
})

test('a file that is of no use is replaced by memory, with a warning', (t) => {
  const path = join(temporaryFolder(t), 'calls.db')
  writeFileSync(path, 'this is no database, though it is long enough to be taken for one'.repeat(20))
  let logged = ''
  const { calls, takeAt } = openLog(t, path, pino({}, { write: (line: string) => void (logged += line) }))
  assert.match(logged, /in memory only: check calls\.db/)
  assert.match(calls.trouble ?? '', /not a database/)
  assert.deepEqual([takeAt(1_000), takeAt(1_000)], [granted, granted])
  assert.deepEqual(takeAt(1_000), { state: 'wait', ms: 60_000 })
})

test('a log that is closed grants nothing any more', (t) => {
  const { calls, takeAt } = openLog(t, inMemory)
  calls.close()
  assert.equal(takeAt(1_000).state, 'wait')
  calls.rest(limit.countedBy, 1_000)
})
