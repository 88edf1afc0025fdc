import type { SchemaName } from './avro.ts'
import type { TopicSpec } from './kafka/topics.ts'

/** The names of every topic and group under one prefix. Keys are message ids, in `ledger` `source|unit`. */
export interface Topics {
  /** Avro RawMessage, as fetched; may repeat. */
  raw: (provider: string) => string
  /** Avro RawMessage with a revision, each (id, content) once. */
  unique: string
  /** Avro Message, each (id, revision) once. */
  messages: string
  /** What could not be understood: the original bytes, with headers. */
  dead: string
  /** Avro LedgerEntry, compacted. */
  ledger: string
  /** Avro UnreadCount, one record a poll and user; keys are `source|user`. */
  unread: string
  /** JSON PendingFiles, compacted: messages whose attachments are to be asked for again. */
  attachments: string
  group: (name: string) => string
}

/** The names under a prefix, such as `chatfeed.`. */
export function topicNames(prefix: string): Topics {
  return {
    raw: (provider) => `${prefix}raw.${provider}`,
    unique: `${prefix}unique`,
    messages: `${prefix}messages`,
    dead: `${prefix}dead`,
    ledger: `${prefix}ledger`,
    unread: `${prefix}unread`,
    attachments: `${prefix}attachments`,
    group: (name) => `${prefix}${name}`,
  }
}

/** The topics with Avro values, in the order of a message's way, and the schema of each. */
export function valueSchemas(names: Topics, providers: readonly string[]): [topic: string, SchemaName][] {
  return [
    ...providers.map((provider): [string, SchemaName] => [names.raw(provider), 'raw-message']),
    [names.unique, 'raw-message'],
    [names.messages, 'message'],
    [names.ledger, 'ledger-entry'],
    [names.unread, 'unread-count'],
  ]
}

/** What the topics are created with. */
export interface TopicSettings {
  partitions: number
  replicationFactor: number | null
  /** How long a repeat is recognised; `raw` and `unique` are kept that long. */
  windowMs: number
}

/**
 * Every topic as it is created, with one partition count along the chain. `messages` and `dead` are kept for
 * good, so that a sink can be rebuilt and a dead letter replayed: an operator who wants less sets retention.ms.
 */
export function topicSpecs(
  names: Topics,
  providers: readonly string[],
  settings: TopicSettings,
): TopicSpec[] {
  const { partitions, replicationFactor, windowMs } = settings
  const common = {
    // Batches stay as chatfeed wrote them; a record may be larger than the 1 MB default.
    'compression.type': 'producer',
    'max.message.bytes': String(8 << 20),
  }
  const topic = (name: string, config: Record<string, string>): TopicSpec => ({
    name,
    partitions,
    replicationFactor,
    config: { ...common, ...config },
  })
  const kept = (ms: number) => ({ 'cleanup.policy': 'delete', 'retention.ms': String(ms) })
  const compacted = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.1' }
  return [
    ...providers.map((provider) => topic(names.raw(provider), kept(windowMs))),
    topic(names.unique, kept(windowMs)),
    topic(names.messages, kept(-1)),
    topic(names.dead, kept(-1)),
    topic(names.ledger, compacted),
    topic(names.unread, kept(windowMs)),
    topic(names.attachments, compacted),
  ]
}
