import { z } from 'zod'
import type { Finding } from '../finding.ts'
import type { Codecs } from '../codecs.ts'
import type { Logger } from '../log.ts'
import type { RevisionReader, Sink } from './sink.ts'
import { sqliteConfig } from './sqlite/config.ts'

/** One type of sink: its `sinks:` entry, and what is done with the store that an entry names. */
interface SinkType<Config> {
  open(config: Config, log: Logger, stream: string, codecs: Codecs): Promise<Sink>
  count(config: Config): Promise<number | null>
  revisions(config: Config): Promise<RevisionReader | null>
  check(config: Config): Promise<Finding[]>
}

/** Checks an entry of `types` against its own schema. */
const sinkType = <Schema extends z.ZodType>(
  type: { config: Schema } & SinkType<z.infer<Schema>>,
): typeof type => type

/** The sink types of this version; a store is loaded only when it is opened or counted. */
const types = {
  sqlite: sinkType({
    config: sqliteConfig,
    open: async (config, log, stream, codecs) =>
      (await import('./sqlite/sink.ts')).openSqliteSink(config, log, stream, codecs),
    count: async ({ path }) => (await import('./sqlite/count.ts')).countMessages(path),
    revisions: async ({ path }) => (await import('./sqlite/revisions.ts')).openRevisions(path),
    check: async (config) => (await import('./sqlite/check.ts')).checkSqlite(config),
  }),
}

type Schema = (typeof types)[keyof typeof types]['config']
const schemas = Object.values(types).map(({ config }) => config) as [Schema, ...Schema[]]

const planned = ['opensearch', 'postgres', 'clickhouse', 'files', 'webhook', 'topic']

/** The strict schema of one `sinks:` entry. */
export const sinkConfig = z.discriminatedUnion('type', schemas, {
  error: ({ input }) => {
    const type = (input as { type?: unknown } | null | undefined)?.type
    const known = Object.keys(types).join(', ')
    if (typeof type !== 'string') return `Give the sink a type: ${known}.`
    if (planned.includes(type)) return `Sink type ${type} is not part of this version, which has: ${known}.`
    return `There is no sink type ${type}; this version has: ${known}.`
  },
})
/** A checked `sinks:` entry. */
export type SinkConfig = z.infer<typeof sinkConfig>

/**
 * Opens the store of a `sinks:` entry for one stream of messages, named by its cluster and topic: positions that
 * another stream left there do not count. Throws ChatfeedError `transient` while the store cannot be reached,
 * `fatal` when trying again cannot help.
 */
export function openSink(config: SinkConfig, log: Logger, stream: string, codecs: Codecs): Promise<Sink> {
  return typeOf(config).open(config, log, stream, codecs)
}

/**
 * Messages stored by a sink, asked without opening it for writing; null where the store is not to be seen from
 * here. Throws ChatfeedError when the store cannot tell.
 */
export function storedRows(config: SinkConfig): Promise<number | null> {
  return typeOf(config).count(config)
}

/**
 * A reader of the revisions that a sink has stored; null where the store cannot be asked from here. Throws ChatfeedError
 * when it cannot tell.
 */
export function storedRevisions(config: SinkConfig): Promise<RevisionReader | null> {
  return typeOf(config).revisions(config)
}

/** What `chatfeed check` finds about the store of an entry; changes nothing there. */
export function checkSink(config: SinkConfig): Promise<Finding[]> {
  return typeOf(config).check(config)
}

const typeOf = ({ type }: SinkConfig): SinkType<SinkConfig> => types[type]
