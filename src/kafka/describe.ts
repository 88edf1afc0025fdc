import kafkajs from 'kafkajs'
import type { Logger } from '../log.ts'
import { Connection, type RetryOptions } from './connection.ts'
import { newAdmin } from './topics.ts'
import type { KafkaConnection } from './wire.ts'

/** A topic as it is. */
export interface TopicDescription {
  partitions: number
  replicationFactor: number
  /** Partitions with fewer replicas in sync than there should be. */
  underReplicated: number
  /** Every setting that is in force, by its Kafka name. */
  config: ReadonlyMap<string, string>
}

/** A cluster as it is, as far as chatfeed depends on it. */
export interface ClusterDescription {
  clusterId: string
  brokers: number
  /** Settings of one broker; empty where we may not read them. */
  brokerConfig: ReadonlyMap<string, string>
  /** The topics that exist, of those that were asked for. */
  topics: ReadonlyMap<string, TopicDescription>
}

/** Looks at a cluster and some of its topics; changes nothing. Throws ChatfeedError, as `Connection.retry` does. */
export async function describeCluster(
  kafka: KafkaConnection,
  log: Logger,
  topics: readonly string[],
  options: RetryOptions,
): Promise<ClusterDescription> {
  const connection = new Connection(kafka, log)
  const admin = newAdmin(kafka)
  try {
    return await connection.retry(
      'describing the cluster',
      async () => {
        await admin.connect()
        const { clusterId, brokers } = await admin.describeCluster()
        const all = await admin.fetchTopicMetadata()
        const found = all.topics.filter(({ name }) => topics.includes(name))
        const { TOPIC, BROKER } = kafkajs.ConfigResourceTypes
        const configs = await settings(
          admin,
          found.map(({ name }) => ({ type: TOPIC, name })),
        )
        const broker = String(brokers[0]?.nodeId ?? 0)
        const brokerConfigs = await settings(admin, [{ type: BROKER, name: broker }]).catch(noRight)
        return {
          clusterId,
          brokers: brokers.length,
          brokerConfig: brokerConfigs.get(broker) ?? new Map<string, string>(),
          topics: new Map(
            found.map(({ name, partitions }) => [
              name,
              {
                partitions: partitions.length,
                replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
                underReplicated: partitions.filter(({ isr, replicas }) => isr.length < replicas.length)
                  .length,
                config: configs.get(name) ?? new Map<string, string>(),
              },
            ]),
          ),
        }
      },
      options,
    )
  } finally {
    await admin.disconnect()
    await connection.close()
  }
}

type Settings = Map<string, Map<string, string>>

async function settings(
  admin: ReturnType<typeof newAdmin>,
  resources: { type: kafkajs.ConfigResourceTypes; name: string }[],
): Promise<Settings> {
  if (resources.length === 0) return new Map()
  const answer = await admin.describeConfigs({ resources, includeSynonyms: false })
  return new Map(
    answer.resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  )
}

/** Many accounts may describe topics and not brokers: what cannot be read is not judged. */
const noRight = (): Settings => new Map()
