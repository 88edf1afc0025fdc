import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import '../support/kafkajs-codec.ts'
import { messageNumber } from './lines.ts'

/** How often each message must stand in a topic, by its number. */
export type Expected = Uint8Array

/** Where the id stands: in the key, as chatfeed writes it, or only in the provider's line, which is the value. */
export type IdPlace = 'key' | 'line'

/**
 * Reads a topic from its beginning with plain kafkajs, read_committed, and throws unless every message stands in it
 * exactly as often as it must. A result that is wrong must never be counted.
 */
export async function verify(
  broker: string,
  topic: string,
  expected: Expected,
  place: IdPlace = 'key',
): Promise<void> {
  const counts = new Uint8Array(expected.length)
  let unknown = 0
  await eachCommitted(broker, topic, (key, value) => {
    const number = messageNumber(place === 'key' ? idInKey(key) : idInLine(value))
    if (number < counts.length) counts[number]!++
    else unknown++
  })
  let missing = 0
  let extra = 0
  for (const [number, count] of counts.entries()) {
    missing += Math.max(0, expected[number]! - count)
    extra += Math.max(0, count - expected[number]!)
  }
  if (missing + extra + unknown > 0)
    throw new Error(`WRONG RESULT in ${topic}: ${missing} missing, ${extra} too many, ${unknown} unknown`)
}

/** `provider:tenant:id`. */
function idInKey(key: Buffer | null): string {
  const text = key?.toString('latin1') ?? ''
  return text.slice(text.lastIndexOf(':') + 1)
}

function idInLine(line: Buffer | null): string {
  const text = line?.toString('latin1') ?? ''
  const start = text.lastIndexOf('"msg_id":"') + 10
  return text.slice(start, text.indexOf('"', start))
}

async function eachCommitted(
  broker: string,
  topic: string,
  take: (key: Buffer | null, value: Buffer | null) => void,
): Promise<void> {
  const { logLevel, Kafka } = kafkajs
  const kafka = new Kafka({ brokers: [broker], clientId: 'bench-witness', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  const consumer = kafka.consumer({ groupId: `witness-${randomUUID()}`, maxWaitTimeInMs: 100 })
  try {
    await Promise.all([admin.connect(), consumer.connect()])
    const offsets = await patiently(() => admin.fetchTopicOffsets(topic))
    const ends = new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
    for (const { partition, low, high } of offsets) if (low === high) ends.delete(partition)
    if (ends.size === 0) return
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => {
        reject(payload.error)
      })
      // Comes also after a batch of nothing but transaction markers, which the handler never sees.
      consumer.on('consumer.end_batch_process', ({ payload: { partition, lastOffset } }) => {
        if (Number(lastOffset) + 1 >= (ends.get(partition) ?? Infinity)) ends.delete(partition)
        if (ends.size === 0) resolve()
      })
      void consumer.run({
        autoCommit: false,
        eachBatch: ({ batch }) => {
          for (const { key, value } of batch.messages) take(key, value)
          return Promise.resolve()
        },
      })
    })
  } finally {
    await Promise.all([admin.disconnect(), consumer.disconnect()])
  }
}

const patienceMs = 30_000

/** A broker that is short of processor time loses its place with the controller now and then, for some seconds. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + patienceMs; ; await delay(500)) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSError && error.retriable) || Date.now() > deadline) throw error
    }
  }
}
