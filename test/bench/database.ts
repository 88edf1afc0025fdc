import { writeFileSync } from 'node:fs'
import { DatabaseSync } from '@photostructure/sqlite'
import { messageNumber } from './lines.ts'
import type { Expected } from './verify.ts'

/** Throws unless the table and the full-text index of a database hold every message once. */
export function verifyDatabase(path: string, expected: Expected): void {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const seen = new Uint8Array(expected.length)
    let wrong = 0
    const ids = db.prepare('select message_id as id from messages').all() as { id: string }[]
    for (const { id } of ids) {
      const number = messageNumber(id)
      if (number < seen.length && seen[number] === 0) seen[number] = 1
      else wrong++
    }
    const rows = seen.reduce((sum, one) => sum + one, 0)
    const { indexed } = db.prepare('select count(*) as indexed from message_words_docsize').get() as {
      indexed: number
    }
    if (wrong > 0 || rows !== expected.length || indexed !== rows)
      throw new Error(
        `WRONG RESULT in ${path}: ${rows} of ${expected.length} messages, ${wrong} wrong, ${indexed} in the index`,
      )
  } finally {
    db.close()
  }
}

/** Writes the rows of `messages` as JSON arrays, a line each, for those who insert the same. */
export function dumpRows(path: string, into: string): void {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const rows = db.prepare('select * from messages').all() as Record<string, unknown>[]
    writeFileSync(into, rows.map((row) => `${JSON.stringify(Object.values(row))}\n`).join(''))
  } finally {
    db.close()
  }
}
