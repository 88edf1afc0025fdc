import { resolve } from 'node:path'
import { sinkType } from '../sink-type.ts'
import { sqliteConfig } from './config.ts'

/** Messages and a full-text index in one SQLite file. */
export const sqlite = sinkType({
  config: sqliteConfig,
  storeOf: ({ path }) => resolve(path),
  open: async (config, context) => (await import('./sink.ts')).openSqliteSink(config, context),
  count: async ({ path }) => (await import('./count.ts')).countMessages(path),
  revisions: async ({ path }) => (await import('./revisions.ts')).openRevisions(path),
  rewind: async ({ path }, stream, to) => (await import('./rewind.ts')).rewindSqlite(path, stream, to),
  check: async (config) => (await import('./check.ts')).checkSqlite(config),
})
