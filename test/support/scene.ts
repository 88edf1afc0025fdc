import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import avsc from 'avsc'
import { DatabaseSync } from '@photostructure/sqlite'
import { stringify } from 'yaml'
import { schemaText } from '../../src/avro.ts'
import { freePort } from '../../src/broker/ports.ts'
import { headerBytes } from '../../src/framing.ts'
import { type Config, configFrom } from '../../src/config/config.ts'
import type { Message, RawMessage } from '../../src/model.ts'
import { startSandbox } from '../../src/app/sandbox-server.ts'
import { type Topics, topicNames } from '../../src/topics.ts'
import { temporaryFolder } from './chatfeed.ts'
import type { Cleanup } from './cleanup.ts'
import { kafkaAt, testKafka } from './kafka.ts'
import { readCommitted } from './kafkajs-reader.ts'

export interface SceneOptions {
  messagesPerHour?: number
  /** Of the simulated history. */
  seed?: number
  /** How far back the sources begin. */
  since?: string
  /** Second looks; none otherwise. */
  lookAgain?: string[]
  /** Passed to the simulated providers. */
  overrides?: Record<string, unknown>
  /** Settings of a source that differ, by provider. */
  sources?: Record<string, Record<string, unknown>>
  /** Where /metrics listens; any port otherwise. */
  httpPort?: number
  /** Where the sink keeps its database, below the folder. */
  database?: string
  /** Other brokers than those of the tests. */
  brokers?: readonly string[]
  /** Where an independent reader finds the brokers, if not where chatfeed does. */
  witness?: readonly string[]
  replicationFactor?: number
  /** The section of the configuration; links then lead to files that the simulated providers serve. */
  attachments?: Record<string, unknown>
  /** The `registry` part of the configuration. */
  registry?: object
  /** The clock of the providers, epoch milliseconds; it stands still otherwise. */
  now?: () => number
}

/** Simulated providers whose clock stands still, a folder with a configuration that reads them, and a corner of Kafka. */
export interface Scene {
  folder: string
  config: Config
  topics: Topics
  /** Sets the clock of the providers, epoch milliseconds; Polyv refuses callers more than three minutes away. */
  setClock(nowMs: number): void
  /** Where each simulated provider listens. */
  baseUrl: (this: void, provider: string) => string
  /** Sums over both providers of what they handed out. */
  served(): { rows: number; messages: number; revisions: number }
  /** All of what the providers handed out that was taken, repeats among it. */
  readRaw(): Promise<RawMessage[]>
  readUnique(): Promise<RawMessage[]>
  readMessages(): Promise<Message[]>
  /** `id revision` of every row in the SQLite sink, sorted. */
  stored(): string[]
}

export async function startScene(t: Cleanup, options: SceneOptions = {}): Promise<Scene> {
  const { messagesPerHour = 40, since = '24h', lookAgain = [], httpPort = 0, replicationFactor = 1 } = options
  const { kafka, topicPrefix } = options.brokers ? kafkaAt(t, options.brokers) : testKafka(t)
  const { witness = kafka.brokers } = options
  const folder = temporaryFolder(t)
  let clock = Date.now()
  // A clock that stands still never forgets a call, so the limits are out of the way.
  const port = options.attachments ? await freePorts() : 0
  const overrides = {
    callsPerMinute: 6_000,
    callsPer10s: 1_000_000,
    ...(options.attachments && {
      filesBaseUrl: `http://127.0.0.1:${port}`,
      imagesBaseUrl: `http://127.0.0.1:${port + 1}`,
    }),
    ...options.overrides,
  }
  const sandbox = await startSandbox({
    port,
    messagesPerHour,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    now: options.now ?? (() => clock),
    overrides,
  })
  t.after(() => sandbox.close())
  const sources = sandbox.sandboxes.map(({ provider, sourceConfig }) => ({
    ...sourceConfig,
    since,
    lookAgain,
    ...(provider === 'polyv' && { ratePer10s: 1_500, pollEvery: '1s' }),
    ...options.sources?.[provider],
  }))
  const database = join(folder, options.database ?? 'messages.db')
  const written = {
    kafka: { brokers: kafka.brokers, topicPrefix, partitions: 3, replicationFactor },
    ...(options.registry && { registry: options.registry }),
    dataDir: join(folder, 'data'),
    http: { port: httpPort },
    ...(options.attachments && { attachments: options.attachments }),
    sources,
    sinks: [{ name: 'search', type: 'sqlite', path: database }],
  }
  writeFileSync(join(folder, 'chatfeed.yaml'), stringify(written))
  const topics = topicNames(topicPrefix)
  return {
    folder,
    config: configFrom(written),
    topics,
    setClock(nowMs) {
      clock = nowMs
    },
    baseUrl: (provider) => sandbox.sandboxes.find((one) => one.provider === provider)?.baseUrl ?? '',
    served() {
      const sum = { rows: 0, messages: 0, revisions: 0 }
      for (const { served } of sandbox.sandboxes) {
        const { rows, messages, revisions } = served()
        sum.rows += rows
        sum.messages += messages
        sum.revisions += revisions
      }
      return sum
    },
    async readRaw() {
      const providers = sandbox.sandboxes.map(({ provider }) => topics.raw(provider))
      const read = providers.map((topic) => decoded<RawMessage>(witness, topic, 'raw-message'))
      return (await Promise.all(read)).flat()
    },
    readUnique: () => decoded<RawMessage>(witness, topics.unique, 'raw-message'),
    readMessages: () => decoded<Message>(witness, topics.messages, 'message'),
    stored() {
      const db = new DatabaseSync(database, { readOnly: true, timeout: 5_000 })
      try {
        const rows = db.prepare('select id, revision from messages').all() as {
          id: string
          revision: number
        }[]
        return rows.map(({ id, revision }) => `${id} ${revision}`).sort()
      } finally {
        db.close()
      }
    },
  }
}

/** A port that is free, with the next one. */
async function freePorts(): Promise<number> {
  for (let port = await freePort(); ; port = await freePort())
    if ((await freePort(port + 1)) === port + 1) return port
}

/** The values of a topic, read with the schema file alone, as any other program would. */
async function decoded<T>(
  brokers: readonly string[],
  topic: string,
  schema: 'raw-message' | 'message',
): Promise<T[]> {
  const type = avsc.Type.forSchema(JSON.parse(schemaText(schema)) as avsc.Schema)
  return (await readCommitted(brokers, topic)).map(
    ({ value }) => type.fromBuffer(value.subarray(headerBytes)) as T,
  )
}

/** The highest revision of every id, as `id revision`, sorted. */
export function newestRevisions(messages: readonly { id: string; revision: number }[]): string[] {
  const newest = new Map<string, number>()
  for (const { id, revision } of messages) newest.set(id, Math.max(revision, newest.get(id) ?? 0))
  return [...newest].map(([id, revision]) => `${id} ${revision}`).sort()
}

/** Names that stand more than once. */
export function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>()
  return names.filter((name) => seen.size === seen.add(name).size)
}
