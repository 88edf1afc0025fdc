import type { Codecs } from '../codecs.ts'
import { ChatfeedError } from '../errors.ts'
import type { Connection } from '../kafka/connection.ts'
import { type PartitionOffsets, topicOffsets } from '../kafka/offsets.ts'
import { readRange } from '../kafka/range.ts'
import type { RecordSet, RecordView } from '../kafka/record-set.ts'
import type { Message, RawMessage } from '../model.ts'
import { isSinkStage } from '../stages/names.ts'
import type { Accounts } from './accounts.ts'
import type { Choices } from './choices.ts'
import { parseOrigin } from './origin.ts'
import { refuseHalf } from './progress.ts'
import type { Envelope, Place, Tables } from './tables.ts'

const rawFields = ({ rawMessage }: Codecs) =>
  rawMessage.fields(['revision', 'id', 'source', 'origin', 'fingerprint', 'fetchedAt'])
const messageFields = ({ message }: Codecs) =>
  message.fields(['id', 'revision', 'source', 'origin', 'fetchedAt'])

/** Where records are read from and where they go. */
export interface LoadOptions {
  connection: Connection
  codecs: Codecs
  tables: Tables
  accounts: Accounts
  choices: Choices
  /** Records of other ids are left out; `''` takes all. */
  idPrefix: string
  /** Hears of offsets that were read. */
  onRead: (offsets: number) => void
  signal: AbortSignal
}

/** Which part of a topic, and what its records are. */
export interface Part {
  /** The number of the topic. */
  topic: number
  from: PartitionOffsets
  to: PartitionOffsets
}

/** What was noticed on the way. */
export interface Loaded {
  /**
   * Where a partition no longer begins at its first record, when the first one came that is left (of several such
   * partitions the latest); null where none has lost a record.
   */
  oldestMs: number | null
}

/** Takes in a topic of raw messages. What its accounts hold of it, the check of the lines counts. */
export function loadRaw(options: LoadOptions, part: Part): Promise<Loaded> {
  const { tables, idPrefix, accounts } = options
  const fields = rawFields(options.codecs)
  return load(options, part, (place, record) => {
    const raw = record.key() && decoded(fields, record)
    if (!raw) {
      accounts.of(accounts.number('', '')).raw++
      tables.addUnreadable(place)
    } else if (raw.id.startsWith(idPrefix)) {
      tables.addRaw(place, { ...envelope(options, raw), fingerprint: raw.fingerprint })
    }
  })
}

/** Takes in `unique`. */
export function loadAccepted(options: LoadOptions, part: Part): Promise<Loaded> {
  const { tables, idPrefix, accounts } = options
  const fields = rawFields(options.codecs)
  return load(options, part, (place, record) => {
    const raw = decoded(fields, record)
    if (!raw) {
      accounts.of(accounts.number('', '')).unique++
      tables.addUnreadable(place)
    } else if (raw.id.startsWith(idPrefix)) {
      const { fingerprint, revision } = raw
      const told = envelope(options, raw)
      accounts.of(told.unit).unique++
      tables.addAccepted(place, { ...told, fingerprint, revision })
    }
  })
}

/** Takes in `messages`, whole ones only where a sink chooses among them. */
export function loadMessages(options: LoadOptions, part: Part): Promise<Loaded> {
  const { choices, codecs } = options
  if (!choices.areNeeded) return loadAny(options, part, messageFields(codecs), () => 0)
  return loadAny(
    options,
    part,
    (bytes) => codecs.message.decode(bytes),
    (message) => choices.of(message),
  )
}

function loadAny<T extends Pick<Message, 'id' | 'revision' | 'source' | 'origin' | 'fetchedAt'>>(
  options: LoadOptions,
  part: Part,
  decode: (bytes: Buffer) => T,
  chosen: (message: T) => number,
): Promise<Loaded> {
  const { tables, idPrefix, accounts } = options
  return load(options, part, (place, record) => {
    if (!record.value()) return // sinks leave it out as well
    const message = decoded(decode, record)
    if (!message) {
      tables.addUnreadable(place)
    } else if (message.id.startsWith(idPrefix)) {
      const told = envelope(options, message)
      accounts.of(told.unit).messages++
      tables.addMessage(place, { ...told, revision: message.revision }, chosen(message))
    }
  })
}

/**
 * Takes in `dead`: letters, not the notes about what became of them. What a store refused lies in `messages` all the
 * same: only letters of the stages before stand for a message that did not come to be.
 */
export function loadLetters(options: LoadOptions, part: Part): Promise<Loaded> {
  const { tables, accounts } = options
  const fields = rawFields(options.codecs)
  const numbers = new Map(tables.topics.map((topic, number) => [topic, number]))
  return load(options, part, (_place, record) => {
    const headers = record.headers()
    if (headers.has('chatfeed.resolution')) return
    const text = (name: string) => headers.get(`chatfeed.${name}`)?.toString() ?? ''
    const stage = text('error.stage')
    const { unit } = parseOrigin(text('origin'))
    const source = () => sourceIn(fields, headers.get('chatfeed.envelope'))
    if (!isSinkStage(stage)) accounts.of(accounts.number(source(), unit)).dead++
    const about = { offset: Number(text('error.offset')), timestampMs: record.timestampMs }
    const topic = numbers.get(text('error.topic')) ?? -1
    const place = { topic, partition: Number(text('error.partition')), record: about }
    tables.addLetter(place, record.key()?.toString() ?? null, stage)
  })
}

/** The source that an envelope names; `''` where there is no envelope. */
function sourceIn(fields: ReturnType<typeof rawFields>, envelope: Buffer | undefined): string {
  return (envelope && decodedValue(fields, envelope)?.source) ?? ''
}

function envelope(
  { accounts }: LoadOptions,
  record: Pick<RawMessage, 'id' | 'source' | 'origin' | 'fetchedAt'>,
): Envelope {
  const { id, source, fetchedAt } = record
  const { unit, position } = parseOrigin(record.origin)
  return { id, fetchedAt, unit: accounts.number(source, unit), position }
}

function decoded<T>(decode: (bytes: Buffer) => T, record: RecordView): T | null {
  const value = record.value()
  return value && decodedValue(decode, value)
}

/** Null for what is no such value. */
function decodedValue<T>(decode: (bytes: Buffer) => T, value: Buffer): T | null {
  try {
    return decode(value)
  } catch (error) {
    if (error instanceof ChatfeedError && error.remedy === 'message') return null
    throw error
  }
}

/** Hands over every record of a part. */
async function load(
  { connection, tables, onRead, signal }: LoadOptions,
  { topic, from, to }: Part,
  take: (place: Place, record: RecordView) => void,
): Promise<Loaded> {
  let oldestMs: number | null = null
  const name = tables.topics[topic]!
  for (const [partition, end] of to) {
    const start = from.get(partition) ?? 0
    let firstMs: number | undefined
    let next = start
    for await (const records of readKept(connection, name, partition, { from: start, to: end, signal })) {
      for (const record of records) {
        firstMs ??= record.timestampMs
        take({ topic, partition, record }, record)
      }
      onRead(records.nextOffset - next)
      next = records.nextOffset
    }
    refuseHalf(signal)
    if (start > 0) oldestMs = Math.max(oldestMs ?? 0, firstMs ?? Date.now())
  }
  return { oldestMs }
}

/** Like `readRange`; what retention takes away in the meantime is stepped over. */
async function* readKept(
  connection: Connection,
  topic: string,
  partition: number,
  { from, to, signal }: { from: number; to: number; signal: AbortSignal },
): AsyncGenerator<RecordSet> {
  for (let next = from; next < to && !signal.aborted;) {
    try {
      for await (const records of readRange(connection, topic, partition, { from: next, to, signal })) {
        yield records
        next = records.nextOffset
      }
    } catch (error) {
      const start = (await topicOffsets(connection, topic, 'earliest', [partition])).get(partition) ?? 0
      const isGone = error instanceof ChatfeedError && error.code === 'offset_out_of_range' && start > next
      if (!isGone) throw error
      next = start
    }
  }
}
