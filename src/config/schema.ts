import { z } from 'zod'
import { entryFault } from '../attachments/allow-list.ts'
import { byteSize } from '../byte-size.ts'
import { providers } from '../providers/index.ts'
import { registryConfig } from '../registry/config.ts'
import { type SinkConfig, sinkConfig, sinkTopic, storeOf } from '../sinks/index.ts'
import { topicNames, topicSpecs } from '../topics.ts'
import { duration } from '../duration.ts'
import { issueText } from './issue-text.ts'

/** Numbers may come from the environment, where everything is text. */
const count = (max: number) => z.coerce.number().int().min(1).max(max)

const sasl = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
  username: z.string(),
  password: z.string(),
})

const tls = z.union(
  [z.boolean(), z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() }).partial()],
  {
    error: 'write true, or { ca, cert, key } with PEM texts',
  },
)

const kafka = z.strictObject({
  brokers: z
    .array(z.string().regex(/^[^\s,:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'write host:port'))
    .min(1, 'list at least one host:port, or leave out kafka.brokers for the embedded broker')
    .optional(),
  tls: tls.optional(),
  sasl: sasl.optional(),
  topicPrefix: z
    .string()
    .regex(/^[\w.-]{0,100}$/, 'letters, digits, dot, dash and underscore only')
    .default('chatfeed.'),
  partitions: count(1_000).default(6),
  replicationFactor: count(10).optional(),
})

const http = z.strictObject({
  host: z.string().default('127.0.0.1'),
  port: z.coerce.number().int().min(0).max(65_535).default(8787),
})

const s3 = z
  .strictObject({
    endpoint: z.url({ protocol: /^https?$/, error: 'write the address of the S3 service' }),
    region: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
  })
  .partial()

const allowedHost = z.string().superRefine((text, context) => {
  const fault = entryFault(text)
  if (fault !== null) context.addIssue({ code: 'custom', message: fault })
})

const attachments = z
  .strictObject({
    mode: z.enum(['link', 'check', 'archive'], 'write link, check or archive').default('link'),
    allowHosts: z.array(allowedHost, 'list the hosts, such as [files.example.com]').default([]),
    archive: z.string().min(1).optional(),
    s3: s3.optional(),
    concurrency: count(1_000).default(8),
    maxBytes: byteSize.prefault('50MB'),
    timeout: duration.refine((ms) => ms >= 100 && ms <= 240_000, 'between 100ms and 240s').prefault('30s'),
    retryAfter: duration.refine((ms) => ms >= 100, 'wait at least 100ms').prefault('1m'),
  })
  .refine(({ mode, archive }) => mode !== 'archive' || archive !== undefined, {
    path: ['archive'],
    message: 'name the folder or s3://bucket/prefix that the files go to',
  })

const providerNames = providers.map(({ name }) => name)

const sourceName = z
  .string({ error: 'give the source a name' })
  .regex(/^[\w.-]{1,60}$/, 'letters, digits, dot, dash and underscore only, at most 60')

/** Each entry goes to the schema of its own provider. */
const source = z
  .record(z.string(), z.unknown(), { error: 'write a source: { name, provider, … }' })
  .transform((entry, context) => {
    const name = sourceName.safeParse(entry.name)
    const provider = providers.find((known) => known.name === entry.provider)
    if (!provider) {
      context.addIssue({
        code: 'custom',
        path: ['provider'],
        message: `name the provider: ${providerNames.join(' or ')}`,
      })
    }
    const parsed = provider?.config.safeParse(entry)
    for (const issue of name.error?.issues ?? [])
      context.addIssue({ code: 'custom', path: ['name'], message: issue.message })
    for (const issue of parsed?.error?.issues ?? []) {
      if (name.success || issue.path[0] !== 'name') {
        context.addIssue({ code: 'custom', path: issue.path, message: issueText(issue) })
      }
    }
    return name.success && parsed?.success ? (parsed.data as SourceConfig) : z.NEVER
  })

/** What every source entry has; the rest belongs to its provider. */
export interface SourceConfig {
  name: string
  provider: string
}

const unique = <T extends { name: string }>(entries: readonly T[]) =>
  new Set(entries.map(({ name }) => name)).size === entries.length

/** A filter that names no provider of this version would leave out everything. */
function knownProviders(sinks: readonly SinkConfig[], context: z.RefinementCtx): void {
  for (const [at, { where }] of sinks.entries()) {
    if (where?.provider?.every((name) => providerNames.includes(name)) !== false) continue
    const message = `choose from ${providerNames.join(', ')}`
    context.addIssue({ code: 'custom', path: [at, 'where', 'provider'], message })
  }
}

/** The place that a sink has come to lies in its store: two in one store would each skip what the other has. */
function ownStores(sinks: readonly SinkConfig[], context: z.RefinementCtx): void {
  const owners = new Map<string, string>()
  for (const [at, sink] of sinks.entries()) {
    const store = storeOf(sink)
    const owner = store === null ? undefined : owners.get(store)
    if (store !== null) owners.set(store, owner ?? sink.name)
    if (owner === undefined) continue
    const message = `the sink ${owner} writes this store: give this one a store of its own`
    context.addIssue({ code: 'custom', path: [at], message })
  }
}

/** An address that the environment leaves empty means no registry, so that one file serves with and without. */
function unlessEmpty(registry: unknown): unknown {
  return (registry as { url?: unknown } | null | undefined)?.url === '' ? undefined : registry
}

interface TopicsInUse {
  kafka: { topicPrefix: string }
  sinks: readonly SinkConfig[]
}

/** A topic that a sink writes must be nobody else's. */
function ownTopics({ kafka: { topicPrefix }, sinks }: TopicsInUse, context: z.RefinementCtx): void {
  const settings = { partitions: 1, replicationFactor: null, windowMs: 0 }
  const specs = topicSpecs(topicNames(topicPrefix), providerNames, settings)
  const owners = new Map(specs.map(({ name }) => [name, 'chatfeed itself']))
  for (const [at, sink] of sinks.entries()) {
    const topic = sinkTopic(sink)
    if (topic === null) continue
    const owner = owners.get(topic)
    owners.set(topic, `the sink ${sink.name}`)
    if (owner === undefined) continue
    const message = `${owner} writes this topic: choose another name`
    context.addIssue({ code: 'custom', path: ['sinks', at, 'topic'], message })
  }
}

const fields = z.strictObject({
  kafka: kafka.prefault({}),
  registry: z.preprocess(unlessEmpty, registryConfig.optional()),
  dataDir: z.string().min(1).default('.chatfeed'),
  http: http.prefault({}),
  dedup: z.strictObject({ window: duration.prefault('30d') }).prefault({}),
  attachments: attachments.prefault({}),
  sources: z
    .array(source, { error: 'list the sources to read' })
    .refine(unique, 'two sources have the same name'),
  sinks: z
    .array(sinkConfig)
    .refine(unique, 'two sinks have the same name')
    .superRefine(knownProviders)
    .superRefine(ownStores)
    .prefault([{ name: 'search', type: 'sqlite' }]),
})

/** The whole configuration file (contract: README, Configuration). Durations are milliseconds once read. */
export const configSchema = fields.superRefine(ownTopics)

/** A checked configuration: defaults filled in, durations in milliseconds. */
export type Config = z.output<typeof configSchema>
