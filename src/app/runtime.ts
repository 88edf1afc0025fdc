import { hostname } from 'node:os'
import { useEmbeddedBroker } from '../broker/index.ts'
import type { Codecs } from '../codecs.ts'
import type { Config } from '../config/config.ts'
import { ensureTopics } from '../kafka/topics.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import { providers } from '../providers/index.ts'
import { topicNames, type Topics, topicSpecs } from '../topics.ts'
import { Budgets } from './budgets.ts'
import { openCodecs } from './open-codecs.ts'

/** What every command stands on: a checked configuration, a cluster that answers, and its topics. */
export interface Runtime {
  config: Config
  log: Logger
  kafka: KafkaConnection
  topics: Topics
  /** How the values of the topics are written and read. */
  codecs: Codecs
  /** Of the Kafka cluster: what a store has read of one cluster says nothing about another. */
  clusterId: string
  /** What the providers may still be asked, shared by every process of the data directory. */
  budgets: Budgets
  /** What keeps the embedded broker from serving; null while it does, and with brokers of your own. */
  readonly brokerTrouble: string | null
  /** Rejects when the cluster is gone for good for this process. */
  failed: Promise<never>
  close(): Promise<void>
}

/** What a runtime is opened with. */
export interface RuntimeOptions {
  config: Config
  log: Logger
  /** Calm words for the user while something takes its time. */
  onProgress?: (text: string) => void
  signal?: AbortSignal
}

/**
 * Connects to the configured cluster, or starts (joins, adopts) the embedded broker, creates the topics that are
 * missing, and agrees on schemas with the registry, if there is one. Throws ChatfeedError.
 */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, log, onProgress, signal } = options
  const { brokers, topicPrefix, partitions, replicationFactor } = config.kafka
  const embedded = brokers
    ? undefined
    : await useEmbeddedBroker({
        dataDir: config.dataDir,
        log,
        ...(onProgress ? { onProgress } : {}),
        ...(signal ? { signal } : {}),
      })
  const kafka = kafkaConnection(config, brokers ?? [embedded?.address ?? ''])
  const patience = setTimeout(() => onProgress?.(`waiting for Kafka at ${kafka.brokers.join(', ')}…`), 2_000)
  try {
    const topics = topicNames(topicPrefix)
    const settings = {
      partitions,
      replicationFactor: replicationFactor ?? null,
      windowMs: config.dedup.window,
    }
    const names = providers.map(({ name }) => name)
    const clusterId = await ensureTopics(kafka, log, topicSpecs(topics, names, settings), { signal })
    const schemas = await openCodecs({ config, log, topics, onProgress, signal })
    const budgets = new Budgets(config, log)
    return {
      config,
      log,
      kafka,
      topics,
      codecs: schemas.codecs,
      clusterId,
      budgets,
      get brokerTrouble() {
        return embedded?.trouble ?? null
      },
      failed: embedded?.failed ?? new Promise<never>(() => undefined),
      async close() {
        budgets.close()
        await schemas.close()
        await embedded?.release()
      },
    }
  } catch (error) {
    await embedded?.release()
    throw error
  } finally {
    clearTimeout(patience)
  }
}

/** How this process connects to the brokers; the embedded one speaks without TLS and SASL. */
export function kafkaConnection({ kafka }: Config, brokers: readonly string[]): KafkaConnection {
  const { tls, sasl } = kafka
  return {
    clientId: `chatfeed@${hostname()}:${process.pid}`,
    brokers,
    ...(kafka.brokers && tls !== undefined ? { tls } : {}),
    ...(kafka.brokers && sasl ? { sasl } : {}),
  }
}
