import { sinkType } from '../sink-type.ts'
import { clickhouseConfig } from './config.ts'

/** Messages in a table of ClickHouse, for questions about many of them. */
export const clickhouse = sinkType({
  config: clickhouseConfig,
  storeOf: ({ url, database, table }) => `${url} ${database} ${table}`,
  open: async (config, context) => (await import('./sink.ts')).openClickhouseSink(config, context),
  count: async (config) => (await import('./revisions.ts')).countMessages(config),
  revisions: async (config) => (await import('./revisions.ts')).openRevisions(config),
  rewind: async (config, stream, to) => (await import('./rewind.ts')).rewindClickhouse(config, stream, to),
  check: async (config) => (await import('./check.ts')).checkClickhouse(config),
})
