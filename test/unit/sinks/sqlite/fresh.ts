import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { DatabaseSync } from '@photostructure/sqlite'
import { silentLog } from '../../../../src/log.ts'
import type { Sink } from '../../../../src/sinks/sink.ts'
import { openSqliteSink } from '../../../../src/sinks/sqlite/store.ts'

/** The path of a database that is not there yet, in a folder that goes with the test. */
export function freshPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'messages.db')
}

export async function openAt(t: TestContext, path: string): Promise<Sink> {
  const sink = await openSqliteSink({ name: 'search', type: 'sqlite', path }, silentLog, 'cluster/messages')
  t.after(() => sink.close())
  return sink
}

/** Rows of a query, read past the sink. */
export function rowsOf(path: string, sql: string): Record<string, unknown>[] {
  const db = new DatabaseSync(path, { readOnly: true })
  const rows = db.prepare(sql).all() as Record<string, unknown>[]
  db.close()
  return rows.map((row) => ({ ...row }))
}
