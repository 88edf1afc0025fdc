import kafkajs, { type Admin, type SASLOptions } from 'kafkajs'
import { ChatfeedError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { Connection, type RetryOptions } from './connection.ts'
import type { KafkaConnection } from './wire.ts'

/** A topic as chatfeed needs it. */
export interface TopicSpec {
  name: string
  partitions: number
  /** One that exists may have more partitions, which stay empty. */
  orMore?: true
  /** `null`: three copies, or as many as there are brokers. */
  replicationFactor: number | null
  /** Two in-sync copies are asked for where there are three, unless this says otherwise. */
  config: Record<string, string>
}

/**
 * Creates the topics that do not exist; existing ones are not changed. Resolves to the cluster's id. Safe to call from several processes at
 * once. Throws ChatfeedError: `transient` when the cluster cannot be reached in time, `fatal` when a topic has
 * another number of partitions, for task p of a stage reads and writes partition p all along the chain.
 */
export async function ensureTopics(
  kafka: KafkaConnection,
  log: Logger,
  topics: readonly TopicSpec[],
  options?: RetryOptions,
): Promise<string> {
  const connection = new Connection(kafka, log)
  const admin = newAdmin(kafka)
  try {
    const ensure = async () => {
      await admin.connect()
      const cluster = await admin.describeCluster()
      const existing = await partitionCounts(admin)
      const missing = topics.filter(({ name }) => !existing.has(name))
      await createTopics(admin, missing, Math.min(3, cluster.brokers.length))
      return { clusterId: cluster.clusterId, existing }
    }
    const { clusterId, existing } = await connection.retry('preparing topics', ensure, options)
    refuseOthers(topics, existing)
    return clusterId
  } finally {
    await admin.disconnect()
    await connection.close()
  }
}

/** An admin client that tries once: `Connection.retry` is the one that is patient. */
export function newAdmin({ brokers, tls, sasl, clientId }: KafkaConnection): Admin {
  return new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    logLevel: 0,
    connectionTimeout: 5_000,
    retry: { retries: 0 },
    ...(tls === undefined ? {} : { ssl: tls }),
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
  }).admin()
}

async function partitionCounts(admin: Admin): Promise<Map<string, number>> {
  const { topics } = await admin.fetchTopicMetadata()
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
}

async function createTopics(admin: Admin, topics: readonly TopicSpec[], copies: number): Promise<void> {
  if (topics.length === 0) return
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
}

function refuseOthers(topics: readonly TopicSpec[], existing: ReadonlyMap<string, number>): void {
  const wrong = topics
    .filter(({ name, partitions, orMore }) => {
      const found = existing.get(name) ?? partitions
      return orMore ? found < partitions : found !== partitions
    })
    .map(({ name, partitions }) => `${name} has ${existing.get(name)} and should have ${partitions}`)
  if (wrong.length === 0) return
  throw new ChatfeedError(
    'fatal',
    'partition_count',
    `Topics differ in their number of partitions: ${wrong.join('; ')}.`,
    {
      mend: topics.every(({ orMore }) => orMore)
        ? 'Give it more partitions, or let the sink write another topic.'
        : 'Set kafka.partitions to the number that the topics have, or delete the topics that differ.',
    },
  )
}
