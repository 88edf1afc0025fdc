import type { RevisionReader } from '../sinks/sink.ts'
import { sinkStage } from '../stages/names.ts'
import type { Accounts } from './accounts.ts'
import type { ChoiceSql } from './choices.ts'
import type { Problems } from './problems.ts'
import { idOf, type Tables } from './tables.ts'

/** Ids a question. */
const batch = 1_000

/** Ids in their order, each with the newest revision that the store takes. */
const nextIds = (choice: ChoiceSql | null) => `
  select id as key, max(revision) as revision, unit, ${choice?.removes ?? '0'} as removed
  from messages indexed by message_ids
  where id > ? ${choice ? `and ${choice.takes}` : ''} group by id order by id limit ${batch}`

const recordOf = `
  select topic, partition, offset, position from messages where id = ? and revision = ? limit 1`

const letterOf = 'select 1 from letters where topic = ? and partition = ? and offset = ? and stage = ?'

/** One store, by the name of its sink. */
export interface Store {
  name: string
  reader: RevisionReader
  /** What it takes and removes; null where it stores everything. */
  choice: ChoiceSql | null
  /** Hears of ids that are done. */
  onIds: (count: number) => void
  /** Ends the questions early. */
  signal: AbortSignal
}

/**
 * Every id of `messages` must be in the store with the highest revision that it takes; a higher one is newer than what
 * was read here. Counts the ids that are there into the accounts of the units where that revision was met. Answers how
 * many are not there because the store refused them: those have a letter in `dead`.
 */
export async function checkStored(
  tables: Tables,
  accounts: Accounts,
  problems: Problems,
  { name, reader, choice, onIds, signal }: Store,
): Promise<number> {
  const next = tables.db.prepare(nextIds(choice))
  const record = tables.db.prepare(recordOf)
  const letter = tables.db.prepare(letterOf)
  const stage = sinkStage(name)
  let refused = 0
  for (let after: unknown = ''; ;) {
    const rows = next.all(after) as Row[]
    const asked = rows.flatMap((row) =>
      accounts.of(row.unit).isAudited ? [{ ...row, id: idOf(row.key) ?? '' }] : [],
    )
    const stored = await reader.of(asked.map(({ id }) => id))
    for (const { key, id, revision, unit, removed } of asked) {
      const found = stored.get(id)
      const { sinks } = accounts.of(unit)
      if (found !== undefined) sinks[name] = (sinks[name] ?? 0) + 1
      if (found !== undefined && found >= revision) continue
      if (found === undefined && removed) continue
      const { position, ...place } = record.get(key, revision) as Shown
      if (letter.get(place.topic, place.partition, place.offset, stage)) {
        refused++
        continue
      }
      problems.add({
        kind: found === undefined ? 'missing' : 'stale',
        where: stage,
        id,
        unit,
        position,
        record: place,
        count: 1,
        detail: found === undefined ? null : `revision ${found} instead of ${revision}`,
      })
    }
    onIds(rows.length)
    if (rows.length < batch || signal.aborted) return refused
    after = rows.at(-1)?.key
  }
}

interface Row {
  key: unknown
  revision: number
  unit: number
  removed: number
}

interface Shown {
  topic: number
  partition: number
  offset: number
  position: number | string | null
}
