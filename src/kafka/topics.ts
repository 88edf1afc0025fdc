import kafkajs, { type Admin, type SASLOptions } from 'kafkajs'
import { ChatfeedError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { Connection } from './connection.ts'
import type { KafkaConnection } from './wire.ts'

/** A topic as chatfeed needs it. */
export interface TopicSpec {
  name: string
  partitions: number
  /** `null`: three copies, or as many as there are brokers. */
  replicationFactor: number | null
  /** Two in-sync copies are asked for where there are three, unless this says otherwise. */
  config: Record<string, string>
}

/**
 * Creates the topics that do not exist; existing ones are not changed. Safe to call from several processes at
 * once. Throws ChatfeedError `fatal` when a topic has another number of partitions: task p of a stage reads and
 * writes partition p all along the chain.
 */
export async function ensureTopics(
  kafka: KafkaConnection,
  log: Logger,
  topics: readonly TopicSpec[],
): Promise<void> {
  const existing = await partitionCounts(kafka, log)
  const missing = topics.filter((topic) => !existing.has(topic.name))
  if (missing.length > 0) await createTopics(kafka, log, missing)
  const wrong = topics.filter(
    (topic) => existing.has(topic.name) && existing.get(topic.name) !== topic.partitions,
  )
  if (wrong.length > 0) {
    const list = wrong.map(
      (topic) => `${topic.name} has ${existing.get(topic.name)} and should have ${topic.partitions}`,
    )
    throw new ChatfeedError(
      'fatal',
      'partition_count',
      `Topics differ in their number of partitions: ${list.join('; ')}.`,
      {
        mend: 'Set kafka.partitions to the number that the topics have, or delete the topics that differ.',
      },
    )
  }
}

/** Partition counts of every topic of the cluster. */
async function partitionCounts(kafka: KafkaConnection, log: Logger): Promise<Map<string, number>> {
  return withAdmin(kafka, log, 'listing topics', async (admin) => {
    const { topics } = await admin.fetchTopicMetadata()
    return new Map(topics.map((topic) => [topic.name, topic.partitions.length]))
  })
}

async function createTopics(
  kafka: KafkaConnection,
  log: Logger,
  topics: readonly TopicSpec[],
): Promise<void> {
  await withAdmin(kafka, log, 'creating topics', async (admin) => {
    const { brokers } = await admin.describeCluster()
    const copies = Math.min(3, brokers.length)
    // Answers false when another process created them meanwhile.
    await admin.createTopics({
      waitForLeaders: true,
      timeout: 30_000,
      topics: topics.map(({ name, partitions, replicationFactor, config }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: replicationFactor ?? copies,
        configEntries: Object.entries({
          'min.insync.replicas': (replicationFactor ?? copies) >= 3 ? '2' : '1',
          ...config,
        }).map(([key, value]) => ({ name: key, value })),
      })),
    })
  })
}

async function withAdmin<T>(
  kafka: KafkaConnection,
  log: Logger,
  doing: string,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const { brokers, tls, sasl, clientId } = kafka
  const connection = new Connection(kafka, log)
  const admin = new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    logLevel: 0,
    connectionTimeout: 5_000,
    ...(tls === undefined ? {} : { ssl: tls }),
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
  }).admin()
  try {
    return await connection.retry(doing, async () => {
      await admin.connect()
      return use(admin)
    })
  } finally {
    await admin.disconnect()
    await connection.close()
  }
}
