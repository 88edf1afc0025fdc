import { existsSync } from 'node:fs'
import type { DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import { ChatfeedError } from '../../errors.ts'
import type { MessageStatus } from '../../model.ts'
import { openForReading } from './database.ts'
import { sqliteFailure } from './failure.ts'
import { snippetOf } from './snippet.ts'
import { Words, type WordQuery } from './words.ts'

/** One message found. */
export interface SearchHit {
  id: string
  /** Epoch milliseconds. */
  sentAt: number
  source: string
  conversationId: string
  /** The sender's name, or the id where there is no name. */
  sender: string | null
  text: string
  /** One line of the text around the first match, matches between `«` and `»`. */
  snippet: string
  /** Deleted messages stay findable; whoever shows them says so. */
  status: MessageStatus
}

/** The JSON document of `chatfeed search --json`. */
export interface SearchResult {
  /** All messages that match, not only those in `hits`. */
  total: number
  hits: SearchHit[]
}

/**
 * Finds the messages that hold every word of `text`: Chinese words also as part of longer ones, others from their
 * beginning. First those that hold it as typed and in whole words, then the rest; newest first within both.
 * `text` is a person's plain words: nothing in it has a special meaning, and without a word it finds nothing.
 *
 * Reads only, also while `chatfeed up` writes. Throws ChatfeedError when the database is not there or unreadable.
 * @param limit Most hits to return, at least 1.
 */
export async function searchMessages(path: string, text: string, limit: number): Promise<SearchResult> {
  if (!existsSync(path)) throw nothingThere(path)
  const query = (await Words.load()).toQuery(text)
  let db: Database | undefined
  try {
    db = openForReading(path)
    if (!db) throw nothingThere(path)
    return query ? find(db, query, limit) : { total: 0, hits: [] }
  } catch (error) {
    throw sqliteFailure(error, path)
  } finally {
    db?.close()
  }
}

const count = 'select count(*) as total from message_words where message_words match ?'

/** The best rows are chosen by their keys alone; texts are read only for those. */
const best = `
  select id, sent_at as sentAt, source, conversation_id as conversationId,
         coalesce(sender_name, sender_id) as sender, text, status
  from (
    select messages.rowid as row,
           messages.rowid in (select rowid from message_words where message_words match :exactly) as exact
    from message_words join messages on messages.rowid = message_words.rowid
    where message_words match :anywhere
    order by exact desc, sent_at desc, id
    limit :limit
  ) join messages on messages.rowid = row
  order by exact desc, sent_at desc, id`

function find(db: Database, { anywhere, exactly, words }: WordQuery, limit: number): SearchResult {
  // One read transaction, so that the total fits the hits while a writer goes on.
  db.exec('begin')
  const { total } = db.prepare(count).get(anywhere) as { total: number }
  const rows = db.prepare(best).all({ anywhere, exactly, limit }) as Omit<SearchHit, 'snippet'>[]
  db.exec('commit')
  return { total, hits: rows.map((row) => ({ ...row, snippet: snippetOf(row.text, words) })) }
}

function nothingThere(path: string): ChatfeedError {
  const message = `There are no messages to search at ${path} yet.`
  const mend = 'Run `chatfeed up` first, or name with --config the configuration whose SQLite sink you mean.'
  return new ChatfeedError('fatal', 'search_nothing_stored', message, { mend })
}
