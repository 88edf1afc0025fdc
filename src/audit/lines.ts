import { hourMs } from '../providers/coverage.ts'
import type { Accounts, UnitAccount } from './accounts.ts'
import type { Problems } from './problems.ts'
import type { Tables } from './tables.ts'

/** The records of one reading of a unit, or of all its readings together. */
interface Look {
  unit: number
  fetchedAt: number
  /** Distinct ones, as ids. */
  positions: number
  ids: number
  /** The highest position where all are numbers; null where some are words of the provider. */
  highest: number | null
}

const looks = (by: string) => `
  select unit, fetched_at as fetchedAt, count(distinct position) as positions, count(distinct id) as ids,
         case when max(typeof(position) <> 'integer') then null else max(position) end as highest
  from raw where unit in (select unit from audited) group by ${by}`

const positionsOf = 'select distinct position from raw where unit = ? and fetched_at = ? order by position'

/** So many missing lines of a unit are named one by one. */
const mostNamed = 20

/**
 * The lines that the ledger promises, against what lies in `raw`. A complete reading of an hour that has closed
 * publishes all its rows under one `fetchedAt`, so one look must hold them all, since the newest reading that the ledger knows began; of an hour that is still open only what
 * is new is published, so all looks together must. Of what was published before `goneBeforeMs(source)` the topic may
 * have let go in due time: answers how many such hours could not be compared.
 */
export function checkLines(
  tables: Tables,
  accounts: Accounts,
  problems: Problems,
  goneBeforeMs: (source: string) => number,
): number {
  const best = new Map<number, Look>()
  for (const look of tables.db.prepare(looks('unit, fetched_at')).iterate() as Iterable<Look>) {
    if (look.fetchedAt < accounts.of(look.unit).lookedAt) continue
    const before = best.get(look.unit)
    if (!before || linesOf(look) >= linesOf(before)) best.set(look.unit, look)
  }
  const together = new Map<number, number>()
  for (const all of tables.db.prepare(looks('unit')).iterate() as Iterable<Look>) {
    accounts.of(all.unit).raw = all.positions
    together.set(all.unit, linesOf(all))
  }
  let gone = 0
  for (const [unit, account] of accounts.audited()) {
    const { source, state, publishedAt, dueAt } = account
    const look = best.get(unit)
    if (state !== 'published' && state !== 'pending') continue
    // An open hour that nobody polls any more, of a channel that was given up, was last read before it was due.
    const readAt = state === 'pending' ? (dueAt ?? Infinity) - hourMs : (publishedAt ?? 0)
    if (account.lines > 0 && readAt < goneBeforeMs(source)) gone++
    else if (state === 'pending') report(unit, account, together.get(unit) ?? 0)
    else report(unit, account, look ? linesOf(look) : 0, look)
  }
  return gone

  function report(unit: number, { lines }: UnitAccount, found: number, look?: Look): void {
    const missing = lines - found
    if (missing <= 0) return
    const detail = `${found} of ${lines} lines`
    const place = { kind: 'missing', where: 'raw', id: null, unit, record: null, detail } as const
    const isNumbered = look !== undefined && look.highest !== null && look.highest <= lines
    const named = isNumbered ? firstGaps(look, lines) : []
    for (const position of named) problems.add({ ...place, position, count: 1 })
    if (missing > named.length) problems.add({ ...place, position: null, count: missing - named.length })
  }

  /** The first numbers up to `lines` that a look lacks. */
  function firstGaps({ unit, fetchedAt }: Look, lines: number): number[] {
    const gaps: number[] = []
    let next = 1
    const upTo = (end: number) => {
      for (; next < end && gaps.length < mostNamed; next++) gaps.push(next)
      next = end + 1
    }
    tables.db.exec('create index if not exists raw_looks on raw (unit, fetched_at, position)')
    const rows = tables.db.prepare(positionsOf).iterate(unit, fetchedAt) as Iterable<{ position: number }>
    for (const { position } of rows) {
      upTo(position)
      if (gaps.length === mostNamed) return gaps
    }
    upTo(lines + 1)
    return gaps
  }
}

/**
 * Lines as the provider's reading counts them: records where they are numbered, otherwise messages, of which one can
 * stand at several positions (see `RowSet`).
 */
function linesOf({ positions, ids, highest }: Look): number {
  return highest === null ? ids : positions
}
