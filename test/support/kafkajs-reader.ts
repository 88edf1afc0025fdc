import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'
import './kafkajs-codec.ts'

export interface CommittedRecord {
  partition: number
  offset: number
  key: string | null
  /** Empty for a record without a value. */
  value: Buffer
  headers: Record<string, string>
}

/**
 * Everything committed in a topic until now, read by kafkajs' own read_committed consumer, a witness that shares no
 * code with ours. Leaves the topic as it is.
 */
export async function readCommitted(brokers: readonly string[], topic: string): Promise<CommittedRecord[]> {
  const { logLevel, Kafka } = kafkajs
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'witness', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  const consumer = kafka.consumer({ groupId: `witness-${randomUUID()}`, maxWaitTimeInMs: 100 })
  const records: CommittedRecord[] = []
  try {
    await Promise.all([admin.connect(), consumer.connect()])
    const left = new Map<number, number>()
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
      if (low !== high) left.set(partition, Number(high))
    if (left.size === 0) return records
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => {
        reject(payload.error)
      })
      // Comes also after a batch of nothing but transaction markers, which the handler never sees.
      consumer.on('consumer.end_batch_process', ({ payload: { partition, lastOffset } }) => {
        if (Number(lastOffset) + 1 >= (left.get(partition) ?? Infinity)) left.delete(partition)
        if (left.size === 0) resolve()
      })
      void consumer.run({
        autoCommit: false,
        eachBatch: ({ batch: { partition, messages } }) => {
          for (const { offset, key, value, headers = {} } of messages) {
            records.push({
              partition,
              offset: Number(offset),
              key: key && key.toString(),
              value: value ?? Buffer.alloc(0),
              headers: Object.fromEntries(
                Object.entries(headers).map(([name, text]) => [name, String(text)]),
              ),
            })
          }
          return Promise.resolve()
        },
      })
    })
    return records
  } finally {
    await Promise.all([admin.disconnect(), consumer.disconnect()])
  }
}
