import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '../../src/kafka/connection.ts'
import { Fetcher } from '../../src/kafka/fetch.ts'
import { topicOffsets } from '../../src/kafka/offsets.ts'
import { type RangeOptions, readRange } from '../../src/kafka/range.ts'
import { testKafka, until } from '../support/kafka.ts'
import { compactOften, eagerly } from '../support/kafkajs-compaction.ts'
import { writeKeys } from '../support/stage.ts'

async function keysIn(connection: Connection, topic: string, options?: RangeOptions): Promise<string[]> {
  const keys: string[] = []
  for await (const records of readRange(connection, topic, 0, options))
    for (const record of records) keys.push(`${record.offset} ${record.key()!.toString()}`)
  return keys
}

const keys = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`)

test('a range holds what is committed at the time of the call, or what lies between two offsets', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t')
  const connection = kafka.connection()
  await connection.know([topic])
  assert.deepEqual(await keysIn(connection, topic), [])
  await writeKeys(kafka.kafka, topic, keys('k', 700))
  assert.equal((await keysIn(connection, topic)).length, 700)
  const some = await keysIn(connection, topic, { from: 100, to: 600 })
  assert.deepEqual([some.length, some[0], some.at(-1)], [500, '100 k100', '599 k599'])
  assert.deepEqual(await keysIn(connection, topic, { from: 700 }), [])
  assert.deepEqual(await keysIn(connection, topic, { signal: AbortSignal.abort() }), [])
})

test('offsets are told by time', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t')
  const connection = kafka.connection()
  await connection.know([topic])
  await writeKeys(kafka.kafka, topic, keys('early', 10))
  await delay(20)
  const between = Date.now()
  await delay(20)
  await writeKeys(kafka.kafka, topic, keys('late', 10))
  const at = async (when: 'earliest' | 'latest' | number) =>
    (await topicOffsets(connection, topic, when)).get(0)
  assert.deepEqual(
    await Promise.all([at('earliest'), at(0), at(between), at('latest'), at(Date.now() + 60_000)]),
    [0, 0, 10, 20, -1],
  )
})

test('a compacted topic is read to its end, also where compaction has emptied whole batches', async (t) => {
  const kafka = testKafka(t)
  await compactOften(kafka.kafka.brokers)
  const topic = await kafka.topic('t', 1, eagerly)
  const connection = kafka.connection()
  await connection.know([topic])
  for (const round of [keys('k', 300), keys('k', 300), ['last']]) {
    await writeKeys(kafka.kafka, topic, round)
    await delay(150) // so that the next record begins a new segment
  }
  assert.equal((await topicOffsets(connection, topic, 'latest')).get(0), 601)
  await until(
    'the first round is compacted away',
    async () => (await keysIn(connection, topic)).length === 301,
  )
  assert.equal((await keysIn(connection, topic))[0], '300 k0')
  assert.deepEqual(await keysIn(connection, topic, { from: 100, to: 300 }), [])
  assert.deepEqual(await keysIn(connection, topic, { from: 600 }), ['600 last'])
})

test('a position beyond the end is an error, and the same again on the next poll', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t')
  const connection = kafka.connection()
  await connection.know([topic])
  await writeKeys(kafka.kafka, topic, keys('k', 5))
  const fetcher = new Fetcher(connection)
  fetcher.seek(topic, 0, 6)
  await assert.rejects(fetcher.poll(), { remedy: 'fatal', code: 'offset_out_of_range' })
  await assert.rejects(fetcher.poll(), { remedy: 'fatal', code: 'offset_out_of_range' })
  fetcher.seek(topic, 0, 5)
  assert.deepEqual(await fetcher.poll(), [])
})
