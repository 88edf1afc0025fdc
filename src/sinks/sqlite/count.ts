import { existsSync } from 'node:fs'
import { openForReading } from './database.ts'
import { sqliteFailure } from './failure.ts'

/** Messages stored in a database file, read only; 0 where there is none yet. Throws ChatfeedError when it is unreadable. */
export function countMessages(path: string): number {
  if (!existsSync(path)) return 0
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
