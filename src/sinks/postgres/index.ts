import { sinkType } from '../sink-type.ts'
import { postgresConfig } from './config.ts'

/** Messages in a table of a PostgreSQL database. */
export const postgres = sinkType({
  config: postgresConfig,
  storeOf: ({ url, schema }) => `${url} ${schema}`,
  open: async (config, context) => (await import('./sink.ts')).openPostgresSink(config, context),
  count: async (config) => (await import('./revisions.ts')).countMessages(config),
  revisions: async (config) => (await import('./revisions.ts')).openRevisions(config),
  rewind: async (config, stream, to) => (await import('./rewind.ts')).rewindPostgres(config, stream, to),
  check: async (config) => (await import('./check.ts')).checkPostgres(config),
})
