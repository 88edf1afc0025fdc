/**
 * Exactly-once dedup as one writes it with kafkajs and avsc: a transactional producer a partition, transactions of 1,000
 * records, the ids seen in a Set, which a restart would have to fill again. BROKER INPUT OUTPUT GROUP
 */
import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import kafkajs, { type EachBatchPayload, type Producer } from 'kafkajs'
import './lz4.ts'

const [broker = '', input = '', output = '', groupId = ''] = process.argv.slice(2)
const perTransaction = 1_000
const headerBytes = 10

const { CompressionTypes, Kafka, logLevel } = kafkajs
const schema = readFileSync(new URL('../../../../schemas/raw-message.avsc', import.meta.url), 'utf8')
const rawMessage = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema)
// With the usual first wait of 300 ms a transaction that follows another closely takes that long.
const retry = { initialRetryTime: 20, multiplier: 1.5, maxRetryTime: 1_000, retries: 1_000 }
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR, retry })
const seen = new Set<string>()
const producers = new Map<number, Producer>()

const admin = kafka.admin()
await admin.connect()
const ends = new Map<number, number>()
for (const { partition, high } of await admin.fetchTopicOffsets(input))
  if (high !== '0') ends.set(partition, Number(high))
await admin.disconnect()

const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, maxBytesPerPartition: 1 << 20 })
await consumer.connect()
await consumer.subscribe({ topic: input, fromBeginning: true })
await new Promise<void>((resolve) => {
  void consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 4,
    async eachBatch(payload) {
      await pass(payload)
      const { partition } = payload.batch
      if (Number(payload.batch.lastOffset()) + 1 >= (ends.get(partition) ?? Infinity)) ends.delete(partition)
      if (ends.size === 0) resolve()
    },
  })
})
await consumer.disconnect()
for (const producer of producers.values()) await producer.disconnect()

async function pass(payload: EachBatchPayload): Promise<void> {
  const { batch } = payload
  const { partition } = batch
  const producer = await producerOf(partition)
  for (let at = 0; at < batch.messages.length; at += perTransaction) {
    const chunk = batch.messages.slice(at, at + perTransaction)
    const messages = chunk.filter(isNew).map(({ key, value }) => ({ key, value, partition }))
    const last = chunk.at(-1)!.offset
    const transaction = await producer.transaction()
    if (messages.length > 0)
      await transaction.send({ topic: output, messages, compression: CompressionTypes.LZ4 })
    const partitions = [{ partition, offset: String(Number(last) + 1) }]
    await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic: input, partitions }] })
    await transaction.commit()
    payload.resolveOffset(last)
    await payload.heartbeat()
  }
}

function isNew({ value }: { value: Buffer | null }): boolean {
  const { id, fingerprint } = rawMessage.fromBuffer(value!.subarray(headerBytes)) as {
    id: string
    fingerprint: Buffer
  }
  const size = seen.size
  return seen.add(id + fingerprint.toString('latin1')).size > size
}

async function producerOf(partition: number): Promise<Producer> {
  let producer = producers.get(partition)
  if (!producer) {
    producer = kafka.producer({
      transactionalId: `${groupId}-${partition}`,
      maxInFlightRequests: 1,
      retry,
    })
    await producer.connect()
    producers.set(partition, producer)
  }
  return producer
}
