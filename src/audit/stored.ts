import type { RevisionReader } from '../sinks/sink.ts'
import type { Accounts } from './accounts.ts'
import type { Problems } from './problems.ts'
import { idOf, type Tables } from './tables.ts'

/** Ids a question. */
const batch = 1_000

const nextIds = `
  select id as key, max(revision) as revision, unit from messages indexed by message_ids
  where id > ? group by id order by id limit ${batch}`

const recordOf = `
  select topic, partition, offset, position from messages where id = ? and revision = ? limit 1`

/** One store, by the name of its sink. */
export interface Store {
  name: string
  reader: RevisionReader
  /** Hears of ids that are done. */
  onIds: (count: number) => void
  /** Ends the questions early. */
  signal: AbortSignal
}

/**
 * Every id of `messages` must be in the store with its highest revision; a higher one is newer than what was read here.
 * Counts the ids that are there into the accounts of the units where their newest revision was met.
 */
export async function checkStored(
  tables: Tables,
  accounts: Accounts,
  problems: Problems,
  { name, reader, onIds, signal }: Store,
): Promise<void> {
  const next = tables.db.prepare(nextIds)
  const record = tables.db.prepare(recordOf)
  for (let after: unknown = ''; ;) {
    const rows = next.all(after) as { key: unknown; revision: number; unit: number }[]
    const asked = rows.flatMap(({ key, revision, unit }) =>
      accounts.of(unit).isAudited ? [{ key, id: idOf(key) ?? '', revision, unit }] : [],
    )
    const stored = await reader.of(asked.map(({ id }) => id))
    for (const { key, id, revision, unit } of asked) {
      const found = stored.get(id)
      const { sinks } = accounts.of(unit)
      if (found !== undefined) sinks[name] = (sinks[name] ?? 0) + 1
      if (found !== undefined && found >= revision) continue
      const { position, ...place } = record.get(key, revision) as Shown
      problems.add({
        kind: found === undefined ? 'missing' : 'stale',
        where: `sink:${name}`,
        id,
        unit,
        position,
        record: place,
        count: 1,
        detail: found === undefined ? null : `revision ${found} instead of ${revision}`,
      })
    }
    onIds(rows.length)
    if (rows.length < batch || signal.aborted) return
    after = rows.at(-1)?.key
  }
}

interface Shown {
  topic: number
  partition: number
  offset: number
  position: number | string | null
}
