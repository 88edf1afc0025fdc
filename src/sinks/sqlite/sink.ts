import type { Logger } from '../../log.ts'
import type { Sink } from '../sink.ts'
import type { SqliteConfig } from './config.ts'
import { StoreThread } from './store-thread.ts'

/**
 * Opens the database of the sink, made anew where it is missing, in a thread of its own: records go there as they were
 * fetched, and are decoded there. Positions are those of `stream`.
 */
export async function openSqliteSink(
  { name, path }: SqliteConfig,
  log: Logger,
  stream: string,
): Promise<Sink> {
  const thread = await StoreThread.open({ path, stream })
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
