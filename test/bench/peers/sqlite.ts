import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Contender, Missing } from '../compare.ts'
import type { Context } from '../context.ts'
import { verifyDatabase } from '../database.ts'
import { wordsOf } from '../machine.ts'
import type { Expected } from '../verify.ts'

const script = fileURLToPath(new URL('sqlite-insert.py', import.meta.url))

/** Rows for the table `messages` as JSON arrays, in a file. */
export interface Rows {
  rows: string
  expected: Expected
}

/** SQLite by the shortest way from a scripting language. */
export function pythonSqlite(context: Context): Contender<Rows> | Missing {
  const version = wordsOf('python3', '-c', 'import sqlite3; print(sqlite3.sqlite_version)')?.trim()
  if (version === undefined) return { name: 'python3 sqlite3', missing: 'apt install python3' }
  return {
    name: `python3, SQLite ${version}`,
    remark: 'finished rows from a file: no Kafka, no Avro, FTS5 with its own tokenizer, Chinese not cut',
    prepare({ rows, expected }) {
      const database = join(context.folder, `${randomBytes(4).toString('hex')}.db`)
      return Promise.resolve({
        command: { words: ['python3', script, rows, database] },
        verify() {
          verifyDatabase(database, expected)
          return Promise.resolve()
        },
      })
    },
  }
}
