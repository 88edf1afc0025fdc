import { type LedgerView, readLedger } from '../ingest/ledger.ts'
import type { Codecs } from '../codecs.ts'
import type { SourceConfig } from '../config/config.ts'
import { DeadTopic } from '../dead/dead-topic.ts'
import { ChatfeedError, explain } from '../errors.ts'
import { newEntry } from '../ingest/entry.ts'
import { Connection } from '../kafka/connection.ts'
import { topicOffsets } from '../kafka/offsets.ts'
import { readRange } from '../kafka/range.ts'
import type { RecordView } from '../kafka/record-set.ts'
import type { LedgerEntry, UnreadCount } from '../model.ts'
import { providers } from '../providers/index.ts'
import { storedRows } from '../sinks/index.ts'
import { providerOf } from './budgets.ts'
import { type Lag, measureLag } from './lag.ts'
import { configuredSource } from './open-source.ts'
import type { Runtime } from './runtime.ts'
import { type UnitWarning, unitWarnings } from './unit-warnings.ts'

const unitsTimeoutMs = 10_000
const unreadAgeMs = 24 * 3_600_000

/** The JSON document of `chatfeed status --json`. Times are epoch milliseconds. */
export interface Status {
  sources: SourceUnits[]
  groups: Lag[]
  sinks: { name: string; type: string; lag: number; rows: number | null }[]
  /** Letters that are open: neither replayed nor discarded. */
  dead: { count: number }
}

/** How a source stands. */
interface SourceUnits {
  name: string
  provider: string
  units: UnitStatus[]
  warnings: UnitWarning[]
  unread: UnreadStatus[]
}

/** The newest count of a user. */
type UnreadStatus = Pick<UnreadCount, 'user' | 'count' | 'observedAt' | 'reason'>

type UnitStatus = Pick<
  LedgerEntry,
  'unit' | 'state' | 'lines' | 'bytes' | 'attempts' | 'deadline' | 'nextLookAt' | 'reason'
>

/** Reads everything that `status` shows, from Kafka and the stores; changes nothing. */
export async function readStatus(runtime: Runtime): Promise<Status> {
  const { config, codecs, topics } = runtime
  const connection = new Connection(runtime.kafka, runtime.log)
  try {
    await connection.know([topics.ledger, topics.unread])
    const dead = await DeadTopic.open(connection, codecs, topics.dead)
    const ledger: LedgerView = new Map()
    for (let partition = 0; partition < connection.partitions(topics.ledger); partition++) {
      await readLedger(connection, codecs, topics.ledger, partition, ledger)
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
    const unread = await newestCounts(connection, codecs, topics.unread)
    const sources = await Promise.all(
      config.sources.map(async (source) => {
        const { name, provider } = source
        const units = await unitsOf(runtime, source, ledger)
        const startOf = (unit: string) => providerOf(source).startOf(source, unit)
        return {
          name,
          provider,
          units,
          warnings: unitWarnings(units, startOf, Date.now()),
          unread: unread.filter((count) => count.source === name).map(toUnreadStatus),
        }
      }),
    )
    return { sources, groups, sinks, dead: { count: await dead.count() } }
  } finally {
    await connection.close()
  }
}

/** The units in the ledger, and those to come that nobody has tried yet. */
async function unitsOf(runtime: Runtime, config: SourceConfig, ledger: LedgerView): Promise<UnitStatus[]> {
  const source = configuredSource(runtime, config).open('check')
  const entries = new Map(ledger.get(config.name))
  try {
    for (const unit of await source.units(Date.now(), entries, AbortSignal.timeout(unitsTimeoutMs))) {
      if (!entries.has(unit.name)) entries.set(unit.name, newEntry(config.name, unit))
    }
  } catch (error) {
    // A provider that is asked for its channels may be away; what is known is shown all the same.
    runtime.log.warn({ source: config.name, reason: explain(error) }, 'the units to come are not known')
  } finally {
    await source.close()
  }
  return [...entries.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1)).map(toUnitStatus)
}

/** The newest record of each user, as far as the topic was written to in the last day. */
async function newestCounts(connection: Connection, codecs: Codecs, topic: string): Promise<UnreadCount[]> {
  const newest = new Map<string, UnreadCount>()
  for (const [partition, from] of await topicOffsets(connection, topic, Date.now() - unreadAgeMs)) {
    if (from < 0) continue // nothing since then
    for await (const records of readRange(connection, topic, partition, { from })) {
      for (const record of records) {
        const count = decoded(codecs, record)
        if (count) newest.set(`${count.source}|${count.user}`, count)
      }
    }
  }
  return [...newest.values()]
}

/** Null for what somebody else wrote there. */
function decoded(codecs: Codecs, record: RecordView): UnreadCount | null {
  try {
    return codecs.unreadCount.decode(record.value() ?? Buffer.alloc(0))
  } catch (error) {
    if (error instanceof ChatfeedError && error.remedy === 'message') return null
    throw error
  }
}

const toUnreadStatus = ({ user, count, observedAt, reason }: UnreadCount): UnreadStatus => ({
  user,
  count,
  observedAt,
  reason,
})

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
