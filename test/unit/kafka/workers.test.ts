import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { ChatfeedError } from '../../../src/errors.ts'
import type { Pulse } from '../../../src/kafka/watchdog.ts'
import { PartitionWorkers, type PartitionWork } from '../../../src/kafka/workers.ts'
import { silentLog } from '../../../src/log.ts'
import { until } from '../../support/kafka.ts'

/** Work that lasts until it is ended, and what was seen of it. */
function watched(failures = new Map<number, Error[]>()) {
  const events: string[] = []
  const reported: Error[] = []
  const work: PartitionWork = async (partition, signal) => {
    events.push(`begin ${partition}`)
    const failure = failures.get(partition)?.shift()
    if (failure !== undefined) throw failure
    if (!signal.aborted) await once(signal, 'abort')
    events.push(`end ${partition}`)
  }
  const workers = new PartitionWorkers(work, silentLog, (error) => {
    reported.push(error)
  })
  return { workers, events, reported }
}

const transient = (retryAfterMs = 1) => new ChatfeedError('transient', 'later', 'Not now.', { retryAfterMs })

test('numbers that are kept are not touched when the assignment changes', async () => {
  const { workers, events } = watched()
  workers.assign([0, 1])
  workers.assign([1, 2])
  assert.deepEqual(workers.partitions, [1, 2])
  await until('work on 0 has ended', () => events.includes('end 0'))
  assert.deepEqual(events, ['begin 0', 'begin 1', 'begin 2', 'end 0'])
  await workers.stop()
  assert.deepEqual(workers.partitions, [])
})

test('stop waits until nothing is under way', async () => {
  let finished = false
  const workers = new PartitionWorkers(
    async (_partition, signal) => {
      await once(signal, 'abort')
      await new Promise((resolve) => setImmediate(resolve))
      finished = true
    },
    silentLog,
    assert.fail,
  )
  workers.assign([0])
  await workers.stop()
  assert.equal(finished, true)
})

test('a transient error starts the work of that number anew', async () => {
  const { workers, events, reported } = watched(new Map([[0, [transient(), transient()]]]))
  workers.assign([0, 1])
  await until('the third beginning', () => events.filter((event) => event === 'begin 0').length === 3)
  assert.equal(events.filter((event) => event === 'begin 1').length, 1)
  await workers.stop()
  assert.deepEqual(reported, [])
  assert.deepEqual(
    events.filter((event) => event === 'end 0'),
    ['end 0'],
  )
})

for (const [kind, error] of [
  ['a fatal error', new ChatfeedError('fatal', 'broken', 'No use.')],
  ['a bug', new TypeError('x is not a function')],
  ['something thrown that is no error', 'a word' as unknown as Error],
] as const) {
  test(`${kind} is reported once and the work is not begun again`, async () => {
    const { workers, events, reported } = watched(new Map([[0, [error]]]))
    workers.assign([0])
    await workers.ended()
    assert.equal(reported.length, 1)
    assert.ok(reported[0] instanceof Error)
    if (error instanceof Error) assert.equal(reported[0], error)
    assert.deepEqual(events, ['begin 0'])
    await workers.stop()
  })
}

test('an error after the end of the work is of no interest', async () => {
  const reported: Error[] = []
  const workers = new PartitionWorkers(
    async (_partition, signal) => {
      await once(signal, 'abort')
      throw new Error('torn down')
    },
    silentLog,
    (error) => reported.push(error),
  )
  workers.assign([0])
  await workers.stop()
  assert.deepEqual(reported, [])
})

test('stop does not wait for the pause before a new start', async () => {
  const { workers, events } = watched(new Map([[0, [transient(60_000)]]]))
  workers.assign([0])
  await until('work has begun', () => events.length === 1)
  const begun = Date.now()
  await workers.stop()
  assert.ok(Date.now() - begun < 1_000)
  assert.deepEqual(events, ['begin 0'])
})

/** Work on partition 0 whose pulse the test holds; it lasts until it is ended. */
async function pulsating(stallMs: number) {
  const reported: Error[] = []
  let pulse: Pulse | undefined
  const workers = new PartitionWorkers(
    async (_partition, signal, given) => {
      pulse = given
      if (!signal.aborted) await once(signal, 'abort')
    },
    silentLog,
    (error) => reported.push(error),
    stallMs,
  )
  workers.assign([0])
  await until('the work has begun', () => pulse !== undefined)
  return { workers, reported, pulse: pulse! }
}

test('work that makes no step any more is reported, once', async () => {
  const { workers, reported } = await pulsating(20)
  await until('the silence is reported', () => reported.length > 0)
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(reported.length, 1)
  assert.match(String(reported[0]), /no step/)
  await workers.stop()
})

test('work that shows signs of life, or announced a rest, is not reported', async () => {
  const { workers, reported, pulse } = await pulsating(40)
  for (const end = Date.now() + 200; Date.now() < end;) {
    pulse.alive()
    await new Promise((resolve) => setImmediate(resolve))
  }
  pulse.alive(10_000)
  await new Promise((resolve) => setTimeout(resolve, 150))
  assert.deepEqual(reported, [])
  await workers.stop()
})

test('trouble is told until the work is well again, and not of numbers that were given away', async () => {
  const { workers, pulse } = await pulsating(60_000)
  assert.deepEqual(workers.troubles, [])
  pulse.ill('The store is away.')
  pulse.alive()
  assert.deepEqual(workers.troubles, ['The store is away.'])
  pulse.well()
  assert.deepEqual(workers.troubles, [])
  pulse.ill('The store is away.')
  workers.assign([])
  pulse.ill('The store is away.')
  assert.deepEqual(workers.troubles, [])
  await workers.stop()
})

test('work that fails again and again tells why while it waits', async () => {
  const { workers } = watched(new Map([[0, [transient(60_000)]]]))
  workers.assign([0, 1])
  await until('the failure is known', () => workers.troubles.length > 0)
  assert.deepEqual(workers.troubles, ['Not now.'])
  await workers.stop()
})

test('a short sign of life does not take back the longer rest that another one announced', async () => {
  const { workers, reported, pulse } = await pulsating(30)
  pulse.alive(60_000)
  pulse.alive()
  await new Promise((resolve) => setTimeout(resolve, 120))
  assert.deepEqual(reported, [])
  await workers.stop()
})
