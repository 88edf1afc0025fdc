import { z } from 'zod'
import type { Logger } from '../log.ts'
import type { Sink } from './sink.ts'
import { sqliteConfig, type SqliteConfig } from './sqlite/config.ts'

/** The sink types of this version, one line each; a store is loaded only when it is opened. */
const openers = {
  sqlite: async (config: SqliteConfig, log: Logger) =>
    (await import('./sqlite/store.ts')).openSqliteSink(config, log),
}

const planned = ['opensearch', 'postgres', 'clickhouse', 'files', 'webhook', 'topic']

/** The strict schema of one `sinks:` entry. */
export const sinkConfig = z.discriminatedUnion('type', [sqliteConfig], {
  error: ({ input }) => {
    const type = (input as { type?: unknown } | null | undefined)?.type
    const known = Object.keys(openers).join(', ')
    if (typeof type !== 'string') return `Give the sink a type: ${known}.`
    if (planned.includes(type)) return `Sink type ${type} is not part of this version, which has: ${known}.`
    return `There is no sink type ${type}; this version has: ${known}.`
  },
})
export type SinkConfig = z.infer<typeof sinkConfig>

/**
 * Opens the store of a `sinks:` entry. Throws ChatfeedError `transient` while the store cannot be reached,
 * `fatal` when trying again cannot help.
 */
export function openSink(config: SinkConfig, log: Logger): Promise<Sink> {
  return openers[config.type](config, log)
}

/** Messages stored by a sink, asked without opening it for writing. Throws ChatfeedError when the store cannot tell. */
export async function storedRows(config: SinkConfig): Promise<number> {
  return (await import('./sqlite/count.ts')).countMessages(config.path)
}
