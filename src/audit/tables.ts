import { DatabaseSync, type DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import { ChatfeedError } from '../errors.ts'
import type { RecordView } from '../kafka/record-set.ts'
import { BulkInsert } from './bulk-insert.ts'

/** Where a record lies. */
export interface Place {
  /** Its number in `Tables.topics`. */
  topic: number
  partition: number
  record: Pick<RecordView, 'offset' | 'timestampMs'>
}

/** What every record in an envelope tells. */
export interface Envelope {
  id: string
  /** Epoch ms. */
  fetchedAt: number
  /** Number of its account. */
  unit: number
  position: number | string | null
}

/**
 * `accepted` is the topic `unique`, `letters` the topic `dead`.
 * `chosen` tells what sinks do with a message (choices.ts). `unreadable` are records of the other topics that are
 * not what they should be. `audited` are the units asked for.
 */
const schema = `
  create table raw (topic integer, partition integer, offset integer, ts integer,
    unit integer, position, fetched_at integer, id, fingerprint blob);
  create table accepted (topic integer, partition integer, offset integer, ts integer,
    unit integer, position, fetched_at integer, id, fingerprint blob, revision integer);
  create table messages (topic integer, partition integer, offset integer, ts integer,
    unit integer, position, fetched_at integer, id, revision integer, chosen integer);
  create table letters (topic integer, partition integer, offset integer, ts integer, id, stage text);
  create table unreadable (topic integer, partition integer, offset integer, ts integer);
  create table audited (unit integer primary key, published_at integer);
  create table problems (kind text, place text, id, unit integer, position,
    topic integer, partition integer, offset integer, count integer, detail text);`

/** Made once everything is in: to sort all at once is many times quicker than to keep order from the first row on. */
const indexes = `
  create index raw_ids on raw (id, fingerprint);
  create index accepted_ids on accepted (id, revision, fingerprint);
  create index message_ids on messages (id, revision, unit);
  create index letter_places on letters (topic, partition, offset);
  create index letter_ids on letters (id);`

const cacheKiB = 32 * 1024

/**
 * What one audit needs to know of every record, in a private file that is gone when it is closed, also by a crash:
 * memory stays bounded, and every check is a question about sets.
 */
export class Tables {
  readonly db: Database
  /** Topics by number. */
  readonly topics: readonly string[]
  readonly #raw: BulkInsert
  readonly #accepted: BulkInsert
  readonly #messages: BulkInsert
  readonly #letters: BulkInsert
  readonly #unreadable: BulkInsert

  constructor(topics: readonly string[]) {
    this.topics = topics
    this.db = new DatabaseSync('')
    this.db.exec(`pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -${cacheKiB}`)
    this.db.exec(`${schema} begin`)
    this.#raw = new BulkInsert(this.db, 'raw', 9)
    this.#accepted = new BulkInsert(this.db, 'accepted', 10)
    this.#messages = new BulkInsert(this.db, 'messages', 10)
    this.#letters = new BulkInsert(this.db, 'letters', 6)
    this.#unreadable = new BulkInsert(this.db, 'unreadable', 4)
  }

  addRaw(place: Place, raw: Envelope & { fingerprint: Buffer }): void {
    this.#raw.add(...placed(place), ...told(raw), raw.fingerprint)
  }

  addAccepted(place: Place, accepted: Envelope & { fingerprint: Buffer; revision: number }): void {
    this.#accepted.add(...placed(place), ...told(accepted), accepted.fingerprint, accepted.revision)
  }

  /** `chosen` is what `Choices.of` says of the message. */
  addMessage(place: Place, message: Envelope & { revision: number }, chosen: number): void {
    this.#messages.add(...placed(place), ...told(message), message.revision, chosen)
  }

  /** A dead letter of a stage that stands for the record at `place`. */
  addLetter(place: Place, id: string | null, stage: string): void {
    this.#letters.add(...placed(place), id === null ? null : idKey(id), stage)
  }

  addUnreadable(place: Place): void {
    this.#unreadable.add(...placed(place))
  }

  /** Ends the adding of records, and makes the tables ready for questions. */
  sort(): void {
    for (const table of [this.#raw, this.#accepted, this.#messages, this.#letters, this.#unreadable])
      table.flush()
    this.db.exec(indexes)
  }

  close(): void {
    this.db.close()
  }
}

const placed = ({ topic, partition, record }: Place) =>
  [topic, partition, record.offset, record.timestampMs] as const

const told = ({ unit, position, fetchedAt, id }: Envelope) => [unit, position, fetchedAt, idKey(id)] as const

/** A value for a column `id`. The driver ends a text at a NUL: such an id is kept as its bytes. */
export function idKey(id: string): string | Buffer {
  return id.includes('\0') ? Buffer.from(id) : id
}

/** The id behind a value of a column `id`. */
export function idOf(key: unknown): string | null {
  if (key === null || typeof key === 'string') return key
  return Buffer.from(key as Uint8Array).toString()
}

const sqliteFull = 13

/** The error of a full disk with its mend; any other as it is. */
export function tablesFailure(error: unknown): unknown {
  const { errcode } = error as { errcode?: unknown }
  if (typeof errcode !== 'number' || (errcode & 0xff) !== sqliteFull) return error
  return new ChatfeedError(
    'fatal',
    'audit_disk_full',
    'There is no room for the temporary file of the audit.',
    {
      cause: error,
      mend: 'Free some space, or let the environment variable SQLITE_TMPDIR name a folder on a larger disk.',
    },
  )
}
