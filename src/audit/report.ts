import type { Accounts, UnitAccount } from './accounts.ts'
import type { Problem, ProblemKind, Problems, ProblemTally } from './problems.ts'
import type { SinkReport } from './sinks.ts'
import type { Standing } from './stages.ts'

/** The JSON document of `chatfeed audit --json`. */
export interface AuditReport {
  /** Nothing was found, and every sink that holds messages and can be asked was asked. */
  balanced: boolean
  /** By source and name. */
  units: UnitReport[]
  /** The first of each kind and place. */
  problems: ProblemReport[]
  problemCount: number
  /** Whether there are more problems than `problems` tells. */
  truncated: boolean
  /** How many there are of each kind in each place. */
  tally: ProblemTally[]
  /** Records that a stage had not come to when the audit went on without it. */
  stages: { stage: string; behind: number }[]
  sinks: SinkReport[]
  /** What else a person should know. */
  notes: string[]
}

/** What was found of one unit. */
export type UnitReport = Pick<
  UnitAccount,
  'source' | 'unit' | 'state' | 'lines' | 'raw' | 'unique' | 'messages' | 'dead' | 'sinks' | 'problems'
>

/** One problem, with the line that it is about where that is known. */
export interface ProblemReport {
  kind: ProblemKind
  where: string
  id: string | null
  source: string
  unit: string
  position: number | string | null
  /** More than one where several lines are told as one. */
  count: number
  text: string
}

/** What a report is made of. */
export interface Findings {
  accounts: Accounts
  problems: Problems
  /** Topics by number. */
  topics: readonly string[]
  standings: readonly Standing[]
  sinks: readonly SinkReport[]
  notes: readonly string[]
}

/** So many problems of one kind in one place are told one by one. */
const mostOfEach = 2_000

/** Puts the findings into words and numbers. */
export function reportOf({ accounts, problems, topics, standings, sinks, notes }: Findings): AuditReport {
  problems.settle(accounts)
  const tally = problems.tally()
  const problemCount = tally.reduce((sum, { count }) => sum + count, 0)
  const told = problems.first(mostOfEach)
  return {
    balanced: problemCount === 0 && sinks.every(({ audited, askable }) => audited || !askable),
    units: unitsOf(accounts),
    problems: told.map((problem) => {
      const { kind, where, id, unit, position, count } = problem
      const { source, unit: name } = accounts.of(unit)
      const text = textOf(problem, topics, standings)
      return { kind, where, id, source, unit: name, position, count, text }
    }),
    problemCount,
    truncated: told.reduce((sum, { count }) => sum + count, 0) < problemCount,
    tally,
    stages: standings.map(({ stage, behind }) => ({ stage, behind })),
    sinks: [...sinks],
    notes: [...notes],
  }
}

function unitsOf(accounts: Accounts): UnitReport[] {
  const units = [...accounts.audited()].flatMap(([, account]): UnitReport[] => {
    const { source, unit, state, lines, raw, unique, messages, dead, sinks, problems } = account
    if (source === '' && raw + unique + messages + dead === 0) return [] // every record tells its unit
    return [{ source, unit, state, lines, raw, unique, messages, dead, sinks, problems }]
  })
  const before = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return units.sort((a, b) => before(a.source, b.source) || before(a.unit, b.unit))
}

function textOf(
  { kind, where, record, detail }: Problem,
  topics: readonly string[],
  standings: readonly Standing[],
): string {
  if (!record) return detail ?? ''
  const topic = topics[record.topic] ?? ''
  const { partition, offset } = record
  const place = `${topic} ${partition}:${offset}`
  if (kind === 'doubled') return `${place} is there once more`
  const found = detail === null ? `${place} is not there` : `${place} is there in ${detail}`
  const carrier = standings.find(({ stage, next }) =>
    where.startsWith('sink:') ? stage === where : next.has(topic),
  )
  if (!carrier) return found
  if (offset < (carrier.next.get(topic)?.get(partition) ?? 0))
    return `${found}; ${carrier.stage} has passed it`
  return `${found}; ${carrier.stage} is ${carrier.behind} records behind and yet to come: run chatfeed up`
}
