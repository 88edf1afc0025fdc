import { existsSync } from 'node:fs'
import { openForReading } from './database.ts'
import { sqliteFailure } from './failure.ts'

/**
 * Messages stored in a database file, read only. Null where there is no file: there is none yet, or it lies on
 * another machine. Throws ChatfeedError when it is unreadable.
 */
export function countMessages(path: string): number | null {
  if (!existsSync(path)) return null
  try {
    const db = openForReading(path)
    if (!db) return 0
    try {
      return (db.prepare('select count(*) as count from messages').get() as { count: number }).count
    } finally {
      db.close()
    }
  } catch (error) {
    throw sqliteFailure(error, path)
  }
}
