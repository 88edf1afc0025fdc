import type { LedgerView } from '../ingest/ledger.ts'
import type { LedgerEntry, UnitState } from '../model.ts'

/** What the ledger says of a unit, and what was found of it. */
export interface UnitAccount {
  /** `''`, as the unit, for records that do not tell where they come from. */
  source: string
  unit: string
  state: UnitState
  /** By the ledger, of the newest complete reading. */
  lines: number
  /** Distinct positions, whenever they were read. */
  raw: number
  /** Records of these topics whose origin lies in the unit. */
  unique: number
  messages: number
  dead: number
  /** Ids of `messages` that each sink holds, by the origin of their newest revision; null where it was not asked. */
  sinks: Record<string, number | null>
  reason: string | null
  /** First complete reading, epoch ms. */
  publishedAt: number | null
  /** When the reading that `lines` tells of began, epoch ms; 0 where the ledger does not tell. */
  lookedAt: number
  /** When it is to be read (again), epoch ms; null where it never is. */
  dueAt: number | null
  /** Whether the unit was asked for. What lies elsewhere can still explain it. */
  isAudited: boolean
  /** Found in this unit. */
  problems: number
}

type Known = Pick<
  LedgerEntry,
  'source' | 'unit' | 'state' | 'lines' | 'reason' | 'publishedAt' | 'lastTriedAt' | 'nextLookAt'
>

/** One account for every unit that the ledger or a record names, by number in the order of their appearance. */
export class Accounts {
  readonly #list: UnitAccount[] = []
  readonly #numbers = new Map<string, Map<string, number>>()
  readonly #isAudited: (source: string, unit: string) => boolean

  constructor(ledger: LedgerView, isAudited: (source: string, unit: string) => boolean) {
    this.#isAudited = isAudited
    for (const entries of ledger.values()) for (const entry of entries.values()) this.#open(entry)
  }

  /** The number of a unit; one that the ledger does not know is pending. */
  number(source: string, unit: string): number {
    return (
      this.#numbers.get(source)?.get(unit) ??
      this.#open({
        source,
        unit,
        state: 'pending',
        lines: 0,
        reason: null,
        publishedAt: null,
        lastTriedAt: null,
        nextLookAt: null,
      })
    )
  }

  of(number: number): UnitAccount {
    return this.#list[number]!
  }

  /** Those asked for, with their numbers. */
  *audited(): Generator<[number: number, account: UnitAccount]> {
    for (const entry of this.#list.entries()) if (entry[1].isAudited) yield entry
  }

  #open(entry: Known): number {
    const { source, unit, state, lines, reason, publishedAt, lastTriedAt, nextLookAt: dueAt } = entry
    // A reason tells of a later look that came to nothing; a saved file was fetched before it was read.
    const lookedAt = reason === null && !unit.startsWith('import/') ? (lastTriedAt ?? 0) : 0
    const isAudited = this.#isAudited(source, unit)
    const found = { raw: 0, unique: 0, messages: 0, dead: 0, sinks: {}, problems: 0 }
    const account = { source, unit, state, lines, reason, publishedAt, lookedAt, dueAt, isAudited, ...found }
    const number = this.#list.push(account) - 1
    const units = this.#numbers.get(source)
    if (units) units.set(unit, number)
    else this.#numbers.set(source, new Map([[unit, number]]))
    return number
  }
}
