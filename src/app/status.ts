import { createRateBudget } from '../ingest/rate-budget.ts'
import { type LedgerView, readLedger } from '../ingest/ledger.ts'
import { newEntry } from '../ingest/schedule.ts'
import { Connection } from '../kafka/connection.ts'
import { readRange } from '../kafka/range.ts'
import type { LedgerEntry } from '../model.ts'
import { providers, providersByName } from '../providers/index.ts'
import { storedRows } from '../sinks/index.ts'
import { type Lag, measureLag } from './lag.ts'
import type { Runtime } from './runtime.ts'

/** The JSON document of `chatfeed status --json`. Times are epoch milliseconds. */
export interface Status {
  sources: { name: string; provider: string; units: UnitStatus[]; unread: [] }[]
  groups: Lag[]
  sinks: { name: string; type: string; lag: number; rows: number | null }[]
  dead: { count: number }
}

type UnitStatus = Pick<
  LedgerEntry,
  'unit' | 'state' | 'lines' | 'bytes' | 'attempts' | 'deadline' | 'nextLookAt' | 'reason'
>

/** Reads everything that `status` shows, from Kafka and the stores; changes nothing. */
export async function readStatus(runtime: Runtime): Promise<Status> {
  const { config, topics } = runtime
  const connection = new Connection(runtime.kafka, runtime.log)
  try {
    await connection.know([topics.ledger, topics.dead])
    const ledger: LedgerView = new Map()
    for (let partition = 0; partition < connection.partitions(topics.ledger); partition++) {
      await readLedger(connection, topics.ledger, partition, ledger)
    }
    const groups: Lag[] = []
    for (const provider of providers)
      groups.push(await measureLag(connection, topics.group('dedup'), topics.raw(provider.name)))
    groups.push(await measureLag(connection, topics.group('enrich'), topics.unique))
    const sinks: Status['sinks'] = []
    for (const sink of config.sinks) {
      const lag = await measureLag(connection, topics.group(`sink.${sink.name}`), topics.messages)
      groups.push(lag)
      sinks.push({ name: sink.name, type: sink.type, lag: lag.lag, rows: await storedRows(sink) })
    }
    const sources = await Promise.all(config.sources.map((source) => sourceStatus(runtime, source, ledger)))
    return { sources, groups, sinks, dead: { count: await countRecords(connection, topics.dead) } }
  } finally {
    await connection.close()
  }
}

/** The units in the ledger, and those to come that nobody has tried yet. */
async function sourceStatus(
  runtime: Runtime,
  { name, provider }: { name: string; provider: string },
  ledger: LedgerView,
) {
  const config = runtime.config.sources.find((source) => source.name === name)
  const source = providersByName.get(provider)?.open(config, {
    log: runtime.log,
    budget: createRateBudget(1, 1_000),
    countRequest: () => undefined,
    now: Date.now,
  })
  const entries = new Map(ledger.get(name))
  try {
    for (const unit of (await source?.units(Date.now(), entries, AbortSignal.timeout(10_000))) ?? []) {
      if (!entries.has(unit.name)) entries.set(unit.name, newEntry(name, unit))
    }
  } finally {
    await source?.close()
  }
  const units = [...entries.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1)).map(toUnitStatus)
  return { name, provider, units, unread: [] as [] }
}

function toUnitStatus({
  unit,
  state,
  lines,
  bytes,
  attempts,
  deadline,
  nextLookAt,
  reason,
}: LedgerEntry): UnitStatus {
  return { unit, state, lines, bytes, attempts, deadline, nextLookAt, reason }
}

/** Offsets would count the markers of transactions as well. */
async function countRecords(connection: Connection, topic: string): Promise<number> {
  let count = 0
  for (let partition = 0; partition < connection.partitions(topic); partition++) {
    for await (const records of readRange(connection, topic, partition)) count += [...records].length
  }
  return count
}
