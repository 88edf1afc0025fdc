import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { DatabaseSync } from '@photostructure/sqlite'
import { messageReader } from '../../../../src/sinks/messages.ts'
import { SqliteStore } from '../../../../src/sinks/sqlite/store.ts'
import { codecs } from '../../../support/codecs.ts'

/** The path of a database that is not there yet, in a folder that goes with the test. */
export function freshPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'messages.db')
}

/** A store in this thread. */
export async function openAt(t: TestContext, path: string): Promise<SqliteStore> {
  const store = await SqliteStore.open({ path, stream: 'cluster/messages' }, messageReader(codecs.message))
  t.after(() => {
    store.close()
  })
  return store
}

/** Rows of a query, read past the sink. */
export function rowsOf(path: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db.prepare(sql).all() as Record<string, unknown>[]
  db.close()
  return rows.map((row) => ({ ...row }))
}
