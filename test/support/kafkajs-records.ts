import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'
import type { Cleanup } from './cleanup.ts'

/** Deletes the records of a partition before an offset, as an operator does by hand. */
export async function deleteRecords(
  brokers: readonly string[],
  topic: string,
  partition: number,
  offset: number,
): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await admin.fetchTopicOffsets(topic) // without the topic's metadata the next call fails
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] })
  } finally {
    await admin.disconnect()
  }
}

/** Writes a record in a transaction that stays open until the test ends, as that of a process that hangs. */
export async function leaveOpen(
  t: Cleanup,
  brokers: readonly string[],
  topic: string,
  partition: number,
): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer({ transactionalId: randomUUID(), maxInFlightRequests: 1 })
  await producer.connect()
  const transaction = await producer.transaction()
  t.after(async () => {
    await transaction.abort()
    await producer.disconnect()
  })
  await transaction.send({ topic, messages: [{ partition, key: 'open', value: 'open' }] })
}
