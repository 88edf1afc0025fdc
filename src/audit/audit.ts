import type { Codecs } from '../codecs.ts'
import { type LedgerView, readLedger } from '../ingest/ledger.ts'
import { Connection } from '../kafka/connection.ts'
import { describeCluster } from '../kafka/describe.ts'
import { topicOffsets } from '../kafka/offsets.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import type { Topics } from '../topics.ts'
import { sinkStage } from '../stages/names.ts'
import { Accounts } from './accounts.ts'
import { Choices } from './choices.ts'
import { findProblems } from './find-problems.ts'
import { type AuditReport, reportOf } from './report.ts'
import { notesOf } from './notes.ts'
import { type AuditProgress, refuseHalf } from './progress.ts'
import { isCompacted } from './retention.ts'
import { type AuditedSink, checkSinks } from './sinks.ts'
import { carryThrough, type Offsets, type Way } from './stages.ts'
import { Tables, tablesFailure } from './tables.ts'
import { takeIn } from './take-in.ts'

/** What is audited, and against what. */
export interface AuditOptions {
  kafka: KafkaConnection
  log: Logger
  codecs: Codecs
  topics: Topics
  /** The topics that the units asked for can lie in. */
  rawTopics: readonly string[]
  /** The one of a source; null where that is not known (any more). */
  rawTopicOf: (source: string) => string | null
  /** Which units are asked for; a record that does not tell its unit has `''` and `''`. */
  isAudited: (source: string, unit: string) => boolean
  /** No unit is left out. */
  isWhole: boolean
  /** No record of these units can be older, epoch ms. */
  fromMs: number | null
  /** All ids of these units begin so. */
  idPrefix: string
  sinks: readonly AuditedSink[]
  /** How long dedup recognises a repeat. */
  windowMs: number
  /** How long a stage may rest before the audit goes on without it. */
  patienceMs: number
  signal: AbortSignal
  onProgress: (progress: AuditProgress) => void
}

/**
 * Accounts for every line of every unit, from the ledger through the topics to the sinks. It may run beside a living
 * system: what was published before it began is given the time to come through for as long as the stages come nearer;
 * what has not come through then is missing. Changes nothing. Throws ChatfeedError, also when `signal` aborts.
 */
export async function runAudit(options: AuditOptions): Promise<AuditReport> {
  const { kafka, log, codecs, topics, rawTopics, signal, onProgress } = options
  const connection = new Connection(kafka, log, signal)
  const tables = new Tables([...rawTopics, topics.unique, topics.messages, topics.dead])
  try {
    await connection.know([...tables.topics, topics.ledger])
    // The ledger first: what it says was published lies in the topics by now.
    const ledger = await wholeLedger(connection, codecs, topics.ledger, signal)
    const accounts = new Accounts(ledger, options.isAudited)
    const onWait = (stage: string, behind: number) => {
      onProgress({ step: `${stage} is ${behind} records behind`, done: 0, total: 0 })
    }
    const { ends, standings } = await carryThrough(connection, wayOf(options), { ...options, onWait })
    const { topics: described } = await describeCluster(kafka, log, tables.topics, { signal })
    const settings = new Map([...described].map(([name, { config }]) => [name, config]))
    const choices = new Choices(options.sinks)
    const gone = await takeIn({ ...options, connection, tables, accounts, choices, ends, settings })
    onProgress({ step: 'sorting', done: 0, total: 0 })
    tables.sort()
    refuseHalf(signal)
    onProgress({ step: 'comparing', done: 0, total: 0 })
    const found = findProblems({
      ...options,
      tables,
      accounts,
      goneBeforeMs: gone,
      isCompacted: isCompacted(settings.get(topics.messages)),
    })
    refuseHalf(signal)
    const { problems } = found
    const isWhole = options.isWhole && gone.get(topics.messages) === 0
    const behind = (sink: string) => standings.find(({ stage }) => stage === sinkStage(sink))?.behind ?? 0
    const newer = isWhole ? () => writtenSince(connection, topics.messages, ends) : null
    const sinks = await checkSinks(tables, accounts, problems, { ...options, choices, behind, newer })
    const notes = notesOf(accounts, found, Date.now())
    return reportOf({ accounts, problems, topics: tables.topics, standings, sinks, notes })
  } catch (error) {
    throw tablesFailure(error)
  } finally {
    tables.close()
    await connection.close()
  }
}

async function wholeLedger(
  connection: Connection,
  codecs: Codecs,
  topic: string,
  signal: AbortSignal,
): Promise<LedgerView> {
  const view: LedgerView = new Map()
  for (let partition = 0; partition < connection.partitions(topic); partition++)
    await readLedger(connection, codecs, topic, partition, view, signal)
  return view
}

/** Offsets of a topic behind those that were noted: records, and the markers of their transactions. */
async function writtenSince(connection: Connection, topic: string, ends: Offsets): Promise<number> {
  const now = await topicOffsets(connection, topic, 'end')
  return [...now].reduce((sum, [partition, end]) => sum + end - (ends.get(topic)?.get(partition) ?? 0), 0)
}

const wayOf = ({ topics, rawTopics, sinks }: AuditOptions): Way => ({
  raw: rawTopics,
  unique: topics.unique,
  messages: topics.messages,
  dedup: topics.group('dedup'),
  enrich: topics.group('enrich'),
  sinks: new Map(sinks.map(({ name, groupId }) => [name, groupId])),
})
