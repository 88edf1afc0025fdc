import { ChatfeedError } from '../../errors.ts'
import type { Sink, SinkContext } from '../sink.ts'
import type { SqliteConfig } from './config.ts'
import { StoreThread } from './store-thread.ts'

/**
 * Opens the database of the sink, made anew where it is missing, in a thread of its own: records go there as they were
 * fetched, and are decoded there. Nothing is ever refused: SQLite takes every message.
 */
export async function openSqliteSink(
  { name, path, where }: SqliteConfig,
  { log, stream, messagesOf, codecParts }: SinkContext,
): Promise<Sink> {
  const thread = await StoreThread.open({ path, stream }, { codecs: codecParts(), ...(where && { where }) })
  log.debug({ sink: name, path, stream }, 'sink opened')
  return {
    name,
    type: 'sqlite',
    position: (partition) => thread.ask({ what: 'position', partition }),
    async write(given) {
      const records = given.toParts()
      try {
        return await thread.ask({ what: 'write', records }, [records.bytes.buffer])
      } catch (error) {
        if (error instanceof ChatfeedError && error.code === 'schema_wanted') {
          // Here the registry can be asked: this throws until it has answered, and the records come again.
          for (const message of messagesOf(given)) void message
          await thread.ask({ what: 'learn', known: codecParts().known })
        }
        throw error
      }
    },
    rows: () => thread.ask({ what: 'rows' }),
    close: () => thread.close(),
  }
}
