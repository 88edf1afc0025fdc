import { storesConfig } from './open.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { ChatfeedError } from '../errors.ts'
import { formatHits } from '../sinks/sqlite/format.ts'
import { searchMessages } from '../sinks/sqlite/search.ts'

/** Options of `chatfeed search`. */
export interface SearchOptions extends CommonOptions {
  limit: number
  json?: boolean
}

/** `chatfeed search`: full-text search in the first SQLite sink of the configuration; needs no Kafka. */
export async function search(text: string, options: SearchOptions): Promise<number> {
  const sink = storesConfig(options).sinks.find((entry) => entry.type === 'sqlite')
  if (!sink) {
    throw new ChatfeedError('fatal', 'configuration', 'The configuration has no SQLite sink to search in.', {
      mend: 'Add { name: search, type: sqlite } under sinks.',
    })
  }
  const result = await searchMessages(sink.path, text, options.limit)
  const shown = { columns: process.stdout.columns || 120, color: process.stdout.isTTY }
  process.stdout.write(`${options.json ? JSON.stringify(result) : formatHits(result, shown)}\n`)
  return exitStatus.done
}
