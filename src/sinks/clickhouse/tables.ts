import { ChatfeedError } from '../../errors.ts'
import type { ClickhouseClient } from './client.ts'
import type { ClickhouseConfig } from './config.ts'
import { literal, quoted } from './quoted.ts'

/** The names of both tables, as they are written in statements. */
export interface Tables {
  messages: string
  positions: string
}

/** The tables of a sink. */
export function tablesOf({ database, table }: Pick<ClickhouseConfig, 'database' | 'table'>): Tables {
  const within = (name: string) => `${quoted(database)}.${quoted(name)}`
  return { messages: within(table), positions: within(`${table}_positions`) }
}

/** Stands in the comment of `messages`, behind "chatfeed". */
const version = 1

/**
 * A message keeps its source, conversation and time in every revision: the order is that of the questions, and still
 * all revisions of an id fall together. The index finds single ids. Inserts are remembered, so that one that is
 * repeated is not stored twice.
 */
const messages = (table: string) => `
  create table if not exists ${table} (
    id String,
    revision UInt32,
    provider LowCardinality(String),
    source LowCardinality(String),
    tenant LowCardinality(String),
    message_id String,
    conversation_kind LowCardinality(String),
    conversation_id String,
    sender_id Nullable(String),
    sender_name Nullable(String),
    sender_role LowCardinality(Nullable(String)),
    recipient Nullable(String),
    sent_at DateTime64(3, 'UTC'),
    kind LowCardinality(String),
    provider_type LowCardinality(String),
    text Nullable(String),
    status LowCardinality(String),
    latitude Nullable(Float64),
    longitude Nullable(Float64),
    address Nullable(String),
    session Nullable(String),
    refers_to Nullable(String),
    data Nullable(String),
    attachments String,
    origin String,
    index by_id id type bloom_filter(0.01) granularity 1
  )
  engine = ReplacingMergeTree(revision)
  partition by toYYYYMM(sent_at)
  order by (source, conversation_kind, conversation_id, sent_at, id)
  settings non_replicated_deduplication_window = 1000
  comment 'chatfeed ${version}'`

const positions = (table: string) => `
  create table if not exists ${table} (stream String, partition UInt32, next_offset UInt64)
  engine = ReplacingMergeTree(next_offset)
  order by (stream, partition)`

/** Makes database and tables where they are missing. Throws ChatfeedError; `fatal` where `isMade` does. */
export async function makeTables(client: ClickhouseClient, config: ClickhouseConfig): Promise<void> {
  const { database } = config
  const found = await client.query(`select 1 from system.databases where name = ${literal(database)}`)
  if (found.length === 0) await client.run(`create database if not exists ${quoted(database)}`)
  if (await isMade(client, config)) return
  const tables = tablesOf(config)
  // The table that is looked for is made last.
  await client.run(positions(tables.positions))
  await client.run(messages(tables.messages))
}

/** Whether the tables are there. Throws ChatfeedError `fatal` where they are another program's or a newer chatfeed's. */
export async function isMade(
  client: ClickhouseClient,
  { database, table }: ClickhouseConfig,
): Promise<boolean> {
  const [found] = await client.query<{ comment: string }>(
    `select comment from system.tables where database = ${literal(database)} and name = ${literal(table)}`,
  )
  if (!found) return false
  const [, made] = /^chatfeed (\d+)$/.exec(found.comment) ?? []
  const where = `The table ${table} in the database ${database} of ClickHouse`
  if (made === undefined) throw refusal('clickhouse_foreign', `${where} belongs to another program.`, 'Give')
  if (Number(made) > version) {
    throw refusal('clickhouse_newer', `${where} was made by a newer chatfeed.`, 'Update chatfeed, or give')
  }
  return true
}

function refusal(code: string, message: string, way: string): ChatfeedError {
  return new ChatfeedError('fatal', code, message, { mend: `${way} the sink another \`table\`.` })
}
