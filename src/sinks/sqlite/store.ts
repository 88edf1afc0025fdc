import { statSync } from 'node:fs'
import type { DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import { ChatfeedError } from '../../errors.ts'
import type { RecordSet } from '../../kafka/record-set.ts'
import type { MessageReader } from '../messages.ts'
import { Brake } from './brake.ts'
import { inTransaction, openForWriting } from './database.ts'
import { attempt } from './failure.ts'
import { columnNames, toRow } from './row.ts'
import { Words } from './words.ts'

const insert = `insert into messages (${columnNames.join(', ')}) values (${columnNames.map(() => '?').join(', ')})`

/** What nearly every message is. */
const addNew = `${insert} on conflict (id) do nothing`

/** Gives back the row number where the message is newer than the one there, nothing where it is not. */
const replaceOlder = `
  ${insert} on conflict (id) do update
  set ${columnNames
    .slice(1)
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')}
  where excluded.revision > messages.revision
  returning rowid`

const position = 'select next_offset as nextOffset from positions where stream = ? and partition = ?'

const advance = `
  insert into positions (stream, partition, next_offset) values (?, ?, ?)
  on conflict (stream, partition) do update set next_offset = max(next_offset, excluded.next_offset)`

/** The position of a partition of which nothing is stored. */
const nothing = -1

/** How long a lock of another program is waited for. */
const lockPatienceMs = 2_000

/** Where the messages go, and the stream whose positions count. */
export interface StoreOptions {
  path: string
  stream: string
}

/**
 * Messages, their full-text index and the positions in one database file. Every call runs to its end before it returns,
 * and waits for a lock of another program, so it belongs into a thread of its own. Errors are ChatfeedErrors, as those
 * of a `Sink`. Several processes may write the same file.
 */
export class SqliteStore {
  readonly #path: string
  readonly #file: string
  readonly #stream: string
  readonly #db: Database
  readonly #words: Words
  readonly #brake: Brake
  readonly #messagesOf: MessageReader
  readonly #addNew
  readonly #replaceOlder
  readonly #replaceWords
  readonly #advance
  readonly #position
  /** By partition: the position that was last seen. */
  readonly #known = new Map<number, number>()

  private constructor(
    { path, stream }: StoreOptions,
    db: Database,
    words: Words,
    messagesOf: MessageReader,
    brake: Brake,
  ) {
    this.#path = path
    this.#file = fileAt(path)
    this.#stream = stream
    this.#db = db
    this.#words = words
    this.#brake = brake
    this.#messagesOf = messagesOf
    this.#addNew = db.prepare(addNew)
    this.#replaceOlder = db.prepare(replaceOlder)
    this.#replaceWords = db.prepare(
      'insert or replace into message_words (rowid, words) values (?, cast(? as text))',
    )
    this.#advance = db.prepare(advance)
    this.#position = db.prepare(position)
  }

  /** Opens the database, made anew where it is missing, and loads the dictionary (0.3 s, once). `brake` ends its work. */
  static async open(
    options: StoreOptions,
    messagesOf: MessageReader,
    brake = new Brake(),
  ): Promise<SqliteStore> {
    const { path } = options
    const db = patiently(path, brake, () => openForWriting(path))
    const words = await Words.load()
    return patiently(path, brake, () => new SqliteStore(options, db, words, messagesOf, brake))
  }

  position(partition: number): number | null {
    const stored = this.#attempt(() => this.#stored(partition))
    this.#known.set(partition, stored ?? nothing)
    return stored
  }

  /** Stores the messages and positions of all sets in one transaction; answers as `Sink.write`, set by set. */
  write(sets: readonly RecordSet[]): number[][] {
    const fetchedAt = this.#attempt(() =>
      inTransaction(this.#db, () => {
        const texts = new Map<number, string>()
        const stored = sets.map((records) => this.#store(records, texts))
        this.#index(texts)
        for (const { partition, nextOffset } of sets) {
          this.#refuseIfSetBack(partition)
          this.#advance.run(this.#stream, partition, nextOffset)
        }
        return stored
      }),
    )
    for (const { partition, nextOffset } of sets)
      this.#known.set(partition, Math.max(nextOffset, this.#known.get(partition) ?? nothing))
    return fetchedAt
  }

  #stored(partition: number): number | null {
    const stored = this.#position.get(this.#stream, partition) as { nextOffset: number } | undefined
    return stored?.nextOffset ?? null
  }

  /** A store that no longer has what it was known to have is not written past what it lacks. */
  #refuseIfSetBack(partition: number): void {
    if ((this.#stored(partition) ?? nothing) >= (this.#known.get(partition) ?? nothing)) return
    throw new ChatfeedError(
      'transient',
      'store_set_back',
      `The database ${this.#path} no longer has what it was given of partition ${partition}: it is given again.`,
    )
  }

  rows(): number {
    return this.#attempt(() => {
      const { count } = this.#db.prepare('select count(*) as count from messages').get() as { count: number }
      return count
    })
  }

  close(): void {
    attempt(this.#path, () => {
      if (this.#db.isOpen) this.#db.close()
    })
  }

  /** Adds to `texts` those of the rows that changed, by row number. */
  #store(records: RecordSet, texts: Map<number, string>): number[] {
    const fetchedAt: number[] = []
    for (const message of this.#messagesOf(records)) {
      this.#brake.check()
      const row = toRow(message)
      const added = this.#addNew.run(...row)
      const stored =
        added.changes > 0
          ? Number(added.lastInsertRowid)
          : (this.#replaceOlder.get(...row) as { rowid: number } | undefined)?.rowid
      if (stored !== undefined) texts.set(stored, message.text ?? '')
      fetchedAt.push(message.fetchedAt)
    }
    return fetchedAt
  }

  /**
   * After all rows and in the order of row numbers: FTS5 gathers words in memory and writes them out early whenever
   * a statement on another table comes between or a row number is not the highest (three times slower).
   */
  #index(texts: ReadonlyMap<number, string>): void {
    const inOrder = [...texts].sort(([a], [b]) => a - b)
    for (const [row, text] of inOrder) {
      this.#brake.check()
      this.#replaceWords.run(row, this.#words.toIndex(text))
    }
  }

  #attempt<T>(work: () => T): T {
    return patiently(this.#path, this.#brake, () => {
      this.#refuseIfGone()
      return work()
    })
  }

  /** What is written to a file without a name is lost when it is closed. */
  #refuseIfGone(): void {
    if (fileAt(this.#path) === this.#file) return
    throw new ChatfeedError(
      'transient',
      'store_gone',
      `The database ${this.#path} was removed or replaced while it was in use.`,
      { mend: 'It is opened again, made anew where it is missing, and filled from what Kafka still keeps.' },
    )
  }
}

/** Which file stands at a path; empty when there is none. */
function fileAt(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats ? `${stats.dev}/${stats.ino}` : ''
}

/** Runs `work`, again and again while another program holds a lock. */
function patiently<T>(path: string, brake: Brake, work: () => T): T {
  for (const deadline = Date.now() + lockPatienceMs; ; brake.rest(5 + 10 * Math.random())) {
    try {
      return attempt(path, work)
    } catch (error) {
      const isLocked = error instanceof ChatfeedError && error.code === 'sqlite_locked'
      if (!isLocked || Date.now() > deadline) throw error
    }
  }
}
