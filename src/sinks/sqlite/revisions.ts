import { existsSync } from 'node:fs'
import type { RevisionReader } from '../sink.ts'
import { openForReading } from './database.ts'
import { attempted } from './failure.ts'
import { storable } from './row.ts'

const revisions = 'select id, revision from messages where id in (select value from json_each(?))'

/**
 * Reads revisions from a database file, also while a sink writes to it. Null where there is no file: there is none yet,
 * or it lies on another machine. Throws ChatfeedError when it is unreadable.
 */
export function openRevisions(path: string): Promise<RevisionReader | null> {
  return attempted(path, () => {
    if (!existsSync(path)) return null
    const db = openForReading(path)
    const query = db?.prepare(revisions)
    const count = db?.prepare('select count(*) as count from messages')
    const find = (ids: readonly string[]): ReadonlyMap<string, number> => {
      const asked = new Map(ids.map((id) => [storable(id), id]))
      const rows = query?.all(JSON.stringify([...asked.keys()])) as
        { id: string; revision: number }[] | undefined
      return new Map(rows?.map(({ id, revision }) => [asked.get(id) ?? id, revision]))
    }
    return {
      of: (ids) => attempted(path, () => find(ids)),
      rows: () => attempted(path, () => (count?.get() as { count: number } | undefined)?.count ?? 0),
      close: () => attempted(path, () => db?.close()),
    }
  })
}
