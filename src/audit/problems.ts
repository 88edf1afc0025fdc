import type { Accounts } from './accounts.ts'
import { idKey, idOf, type Tables } from './tables.ts'

/** Something is not where it should be, is there more than once, or stands there in an older state. */
export type ProblemKind = 'missing' | 'doubled' | 'stale'

/** One finding, as the checks put it down. */
export interface Problem {
  kind: ProblemKind
  /** `provider`, `raw`, `unique`, `messages`, `dead` or `sink:NAME`: where it is missing, doubled or stale. */
  where: string
  /** Message id. */
  id: string | null
  /** Number of the account. */
  unit: number
  position: number | string | null
  /** The record that shows it, by the number of its topic. */
  record: { topic: number; partition: number; offset: number } | null
  /** How many such there are; more than one where they are told in one line. */
  count: number
  /** What only the check knows, in words. */
  detail: string | null
}

/** How many problems of one kind there are in one place. */
export interface ProblemTally {
  kind: ProblemKind
  where: string
  count: number
}

interface Row extends Omit<Problem, 'where' | 'id' | 'record'> {
  place: string
  id: unknown
  topic: number | null
  partition: number
  offset: number
}

/** All that the checks have found: any number, for it lies on disk. */
export class Problems {
  readonly #tables: Tables
  readonly #add

  constructor(tables: Tables) {
    this.#tables = tables
    this.#add = tables.db.prepare('insert into problems values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  }

  add({ kind, where, id, unit, position, record, count, detail }: Problem): void {
    const { topic = null, partition = null, offset = null } = record ?? {}
    this.#add.run(
      kind,
      where,
      id === null ? null : idKey(id),
      unit,
      position,
      topic,
      partition,
      offset,
      count,
      detail,
    )
  }

  /** Puts down what a query finds: its columns are id, unit, position, topic, partition, offset. */
  addFound(kind: ProblemKind, where: string, query: string, values: Record<string, number> = {}): void {
    this.#tables.db
      .prepare(`insert into problems select '${kind}', '${where}', *, 1, null from (${query})`)
      .run(values)
  }

  tally(): ProblemTally[] {
    return this.#tables.db
      .prepare(
        'select kind, place as "where", sum(count) as count from problems group by kind, place order by min(rowid)',
      )
      .all() as ProblemTally[]
  }

  /** Counts them into the accounts of their units. */
  settle(accounts: Accounts): void {
    const rows = this.#tables.db.prepare('select unit, sum(count) as count from problems group by unit')
    for (const { unit, count } of rows.iterate() as Iterable<{ unit: number; count: number }>)
      accounts.of(unit).problems = count
  }

  /** The first ones of each kind and place, so that a flood of one kind hides no other. */
  first(mostOfEach: number): Problem[] {
    const rows = this.#tables.db
      .prepare(
        `select * from (select *, row_number() over (partition by kind, place order by rowid) as nth, rowid as row
         from problems) where nth <= ? order by row`,
      )
      .all(mostOfEach) as Row[]
    return rows.map(({ kind, place, id, unit, position, topic, partition, offset, count, detail }) => ({
      kind,
      where: place,
      id: idOf(id),
      unit,
      position,
      record: topic === null ? null : { topic, partition, offset },
      count,
      detail,
    }))
  }
}
