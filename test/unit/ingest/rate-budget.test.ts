import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallLog, inMemory } from '../../../src/ingest/call-log.ts'
import { SharedBudget } from '../../../src/ingest/rate-budget.ts'
import { silentLog } from '../../../src/log.ts'

function sharedBudget(calls: number, windowMs: number, now: () => number = Date.now): SharedBudget {
  return new SharedBudget(new CallLog(inMemory, silentLog, now), { countedBy: 'app', calls, windowMs })
}

const createRateBudget = (...limit: Parameters<typeof sharedBudget>) => sharedBudget(...limit).lane('history')

// Real time in small portions: what is asserted is that nothing comes too early, which no slow machine can break.

test('what is beyond the limit waits for the next windows', async () => {
  const windowMs = 50
  const budget = createRateBudget(3, windowMs)
  const startedAt = Date.now()
  await Promise.all(Array.from({ length: 11 }, () => budget.take()))
  assert.ok(Date.now() - startedAt >= 3 * windowMs)
})

test('calls within the limit do not wait', async () => {
  const budget = createRateBudget(100, 3_600_000)
  for (let call = 0; call < 100; call++) await budget.take()
})

test('calls of long ago are forgotten', async () => {
  let now = 0
  const budget = createRateBudget(2, 3_600_000, () => now)
  await budget.take()
  await budget.take()
  now = 3_600_000
  await budget.take()
  await budget.take()
})

test('permissions come in the order of asking', async () => {
  const budget = createRateBudget(2, 20)
  const order: number[] = []
  await Promise.all([0, 1, 2, 3, 4, 5].map((name) => budget.take().then(() => order.push(name))))
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5])
})

test('a long pause sends everyone away with the time left, also those who wait already', async () => {
  let now = 0
  const budget = createRateBudget(1, 3_600_000, () => now)
  await budget.take()
  const waiting = budget.take()
  budget.pause(300_000)
  budget.pause(10)
  now = 100_000
  await assert.rejects(budget.take(), { remedy: 'transient', code: 'throttled', retryAfterMs: 200_000 })
  await assert.rejects(waiting, { code: 'throttled' })
})

test('a pause that is nearly over is waited out', async () => {
  const budget = createRateBudget(1, 30)
  const startedAt = Date.now()
  budget.pause(120)
  budget.pause(10)
  await budget.take()
  assert.ok(Date.now() - startedAt >= 119)
})

test('whoever gives up waiting is let go at once and uses nothing up', async () => {
  const budget = createRateBudget(1, 3_600_000)
  await budget.take()
  const impatient = new AbortController()
  const waiting = budget.take(impatient.signal)
  impatient.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
})

test('one who gave up does not block those behind', async () => {
  const budget = createRateBudget(1, 50)
  await budget.take()
  const impatient = new AbortController()
  const first = budget.take(impatient.signal)
  const second = budget.take()
  impatient.abort()
  await assert.rejects(first, { name: 'AbortError' })
  await second
})

test('who is more urgent goes first, whoever asked first', async () => {
  const budget = sharedBudget(1, 30)
  await budget.lane('history').take()
  const order: string[] = []
  await Promise.all(
    (['backfill', 'history', 'check', 'history'] as const).map((lane) =>
      budget
        .lane(lane)
        .take()
        .then(() => order.push(lane)),
    ),
  )
  assert.deepEqual(order, ['check', 'history', 'history', 'backfill'])
})

test('a backfill leaves half of the limit to the others', async () => {
  let now = 0
  const budget = sharedBudget(4, 3_600_000, () => now)
  const granted: string[] = []
  for (const lane of ['backfill', 'backfill', 'backfill'] as const) {
    void budget
      .lane(lane)
      .take()
      .then(() => granted.push(lane))
  }
  await budget.lane('history').take()
  await budget.lane('history').take()
  assert.deepEqual(granted, ['backfill', 'backfill'])
  now = 3_600_000
  await budget.lane('history').take()
  assert.deepEqual(granted, ['backfill', 'backfill', 'backfill'])
})
