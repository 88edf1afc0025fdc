import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { partitionOf } from '../../src/kafka/partitioner.ts'
import { Producer, type ProducerOptions } from '../../src/kafka/producer.ts'
import { silentLog } from '../../src/log.ts'
import { type TestKafka, testKafka } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'

interface Sent {
  key: string
  value: Buffer
}

async function produce(
  kafka: TestKafka,
  topic: string,
  records: Iterable<Sent>,
  options?: ProducerOptions,
): Promise<void> {
  const producer = await Producer.open(kafka.kafka, silentLog, topic, options)
  try {
    for (const { key, value } of records) await producer.add(Buffer.from(key), value)
    await producer.flush()
  } finally {
    await producer.close()
  }
}

const digest = (key: string | null, value: Buffer) =>
  `${key} ${createHash('md5').update(value).digest('hex')}`

async function assertHolds(kafka: TestKafka, topic: string, sent: readonly Sent[]): Promise<void> {
  const found = await readCommitted(kafka.kafka.brokers, topic)
  assert.equal(found.length, sent.length)
  assert.deepEqual(
    found.map(({ key, value }) => digest(key, value)).sort(),
    sent.map(({ key, value }) => digest(key, value)).sort(),
  )
}

test('after a flush every record is in the partition of its key, once and in order', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t', 5)
  const sent = Array.from({ length: 20_000 }, (_, n) => ({
    key: `id-${n % 7_000}`,
    value: Buffer.from(String(n)),
  }))
  await produce(kafka, topic, sent, { batchRecords: 300 })
  await assertHolds(kafka, topic, sent)
  const newest = new Map<string, number>()
  for (const { partition, key, value } of (await readCommitted(kafka.kafka.brokers, topic)).toSorted(
    (a, b) => a.offset - b.offset,
  )) {
    assert.equal(partition, partitionOf(Buffer.from(key!), 5))
    assert.ok(Number(value) > (newest.get(key!) ?? -1))
    newest.set(key!, Number(value))
  }
})

test('a flush acknowledges what was added before it, and the producer goes on', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t', 3)
  const producer = await Producer.open(kafka.kafka, silentLog, topic)
  t.after(() => producer.close())
  const sent: Sent[] = []
  for (const round of [1, 2, 3]) {
    for (let n = 0; n < 10; n++) {
      const record = { key: `${round}-${n}`, value: Buffer.from('v') }
      sent.push(record)
      await producer.add(Buffer.from(record.key), record.value)
    }
    await producer.flush()
    await assertHolds(kafka, topic, sent)
  }
  await producer.flush()
})

test('two producers write one topic at once', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t', 2)
  const of = (name: string) =>
    Array.from({ length: 5_000 }, (_, n) => ({ key: `${name}${n}`, value: Buffer.from(name) }))
  await Promise.all([produce(kafka, topic, of('a')), produce(kafka, topic, of('b'))])
  await assertHolds(kafka, topic, [...of('a'), ...of('b')])
})

test('records of 3 MB pass, and those beside them', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t', 1, { 'max.message.bytes': String(8 << 20) })
  const sent = Array.from({ length: 6 }, (_, n) => ({
    key: `k${n}`,
    value: randomBytes(n % 2 ? 3_000_000 : 1_000),
  }))
  await produce(kafka, topic, sent)
  await assertHolds(kafka, topic, sent)
})

test('batches stay below the default bound of a topic, whatever is added', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t')
  const sent = [500_000, 600_000, 899_999, 899_000, 1_000, 900_500, 400_000, 400_000].map((bytes, n) => ({
    key: `k${n}`,
    value: randomBytes(bytes),
  }))
  await produce(kafka, topic, sent)
  await assertHolds(kafka, topic, sent)
})

test('what a topic refuses fails the flush and every later call', async (t) => {
  const kafka = testKafka(t)
  const topic = await kafka.topic('t')
  const producer = await Producer.open(kafka.kafka, silentLog, topic)
  t.after(() => producer.close())
  await producer.add(Buffer.from('k'), randomBytes(2_000_000))
  const refused = { remedy: 'fatal', code: 'kafka_message_too_large' }
  await assert.rejects(producer.flush(), refused)
  await assert.rejects(Promise.resolve(producer.add(Buffer.from('k'), Buffer.from('v'))), refused)
  await assert.rejects(producer.flush(), refused)
})

test('a producer of a topic that is not there does not open', async (t) => {
  const kafka = testKafka(t)
  await assert.rejects(
    Producer.open(kafka.kafka, silentLog, `${kafka.topicPrefix}nowhere`, { deadlineMs: 500 }),
    { remedy: 'fatal', code: 'no_topic' },
  )
})
