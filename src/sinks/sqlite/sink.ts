import type { Sink, SinkContext } from '../sink.ts'
import type { SqliteConfig } from './config.ts'
import { StoreThread } from './store-thread.ts'

/**
 * Opens the database of the sink, made anew where it is missing, in a thread of its own: records go there as they were
 * fetched, and are decoded there. Nothing is ever refused: SQLite takes every message.
 */
export async function openSqliteSink(
  { name, path, where }: SqliteConfig,
  { log, stream }: Pick<SinkContext, 'log' | 'stream'>,
): Promise<Sink> {
  const thread = await StoreThread.open({ path, stream, ...(where && { where }) })
  log.debug({ sink: name, path, stream }, 'sink opened')
  return {
    name,
    type: 'sqlite',
    position: (partition) => thread.ask({ what: 'position', partition }),
    write: (given) => {
      const records = given.toParts()
      return thread.ask({ what: 'write', records }, [records.bytes.buffer])
    },
    rows: () => thread.ask({ what: 'rows' }),
    close: () => thread.close(),
  }
}
