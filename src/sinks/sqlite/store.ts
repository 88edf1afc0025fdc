import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import { ChatfeedError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { Message } from '../../model.ts'
import type { Sink } from '../sink.ts'
import type { SqliteConfig } from './config.ts'
import { inTransaction, openForWriting } from './database.ts'
import { attempt } from './failure.ts'
import { columnNames, toRow } from './row.ts'
import { Words } from './words.ts'

const allButId = columnNames.slice(1)

/** Gives back the row number where the row is new or newer than the one there, nothing where it is not. */
const upsert = `
  insert into messages (${columnNames.join(', ')}) values (${columnNames.map(() => '?').join(', ')})
  on conflict (id) do update set ${allButId.map((name) => `${name} = excluded.${name}`).join(', ')}
  where excluded.revision > messages.revision
  returning rowid`

const position = 'select next_offset as nextOffset from positions where stream = ? and partition = ?'

const advance = `
  insert into positions (stream, partition, next_offset) values (?, ?, ?)
  on conflict (stream, partition) do update set next_offset = max(next_offset, excluded.next_offset)`

/** How long a lock of another program is waited for. */
const lockPatienceMs = 2_000

/**
 * Messages, their full-text index and the positions in one database file; every batch is one transaction.
 * Several processes may write the same file: a batch that finds it locked for 2 s fails `transient`.
 */
class SqliteSink implements Sink {
  readonly name: string
  readonly type = 'sqlite'
  readonly #path: string
  readonly #file: string
  readonly #stream: string
  readonly #db: Database
  readonly #words: Words
  readonly #upsert
  readonly #replaceWords
  readonly #advance
  readonly #position

  constructor(config: SqliteConfig, stream: string, db: Database, words: Words) {
    this.name = config.name
    this.#path = config.path
    this.#file = fileAt(config.path)
    this.#stream = stream
    this.#db = db
    this.#words = words
    this.#upsert = db.prepare(upsert)
    this.#replaceWords = db.prepare('insert or replace into message_words (rowid, words) values (?, ?)')
    this.#advance = db.prepare(advance)
    this.#position = db.prepare(position)
  }

  position(partition: number): Promise<number | null> {
    return this.#attempt(() => {
      const stored = this.#position.get(this.#stream, partition) as { nextOffset: number } | undefined
      return stored?.nextOffset ?? null
    })
  }

  write(partition: number, messages: readonly Message[], nextOffset: number): Promise<void> {
    return this.#attempt(() =>
      inTransaction(this.#db, () => {
        this.#index(this.#store(messages))
        this.#advance.run(this.#stream, partition, nextOffset)
      }),
    )
  }

  rows(): Promise<number> {
    return this.#attempt(() => {
      const { count } = this.#db.prepare('select count(*) as count from messages').get() as { count: number }
      return count
    })
  }

  close(): Promise<void> {
    return attempt(this.#path, () => {
      if (this.#db.isOpen) this.#db.close()
    })
  }

  /** Gives back the texts of the rows that changed, by row number. */
  #store(messages: readonly Message[]): Map<number, string> {
    const texts = new Map<number, string>()
    for (const message of messages) {
      const stored = this.#upsert.get(...toRow(message)) as { rowid: number } | undefined
      if (stored) texts.set(stored.rowid, message.text ?? '')
    }
    return texts
  }

  /**
   * After all rows and in the order of row numbers: FTS5 gathers words in memory and writes them out early whenever
   * a statement on another table comes between or a row number is not the highest (three times slower).
   */
  #index(texts: ReadonlyMap<number, string>): void {
    const inOrder = [...texts].sort(([a], [b]) => a - b)
    for (const [row, text] of inOrder) this.#replaceWords.run(row, this.#words.toIndex(text))
  }

  #attempt<T>(work: () => T): Promise<T> {
    return patiently(this.#path, () => {
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

/** Runs `work`, again and again while another program holds a lock, and lets other work go on meanwhile. */
async function patiently<T>(path: string, work: () => T): Promise<T> {
  for (const deadline = Date.now() + lockPatienceMs; ; await delay(10 + 30 * Math.random())) {
    try {
      return await attempt(path, work)
    } catch (error) {
      const isLocked = error instanceof ChatfeedError && error.code === 'sqlite_locked'
      if (!isLocked || Date.now() > deadline) throw error
    }
  }
}

/**
 * Opens the database of the sink, made anew where it is missing, and loads the dictionary (0.3 s, once). Positions
 * are those of `stream`.
 */
export async function openSqliteSink(config: SqliteConfig, log: Logger, stream: string): Promise<Sink> {
  const words = await Words.load()
  const { name, path } = config
  const sink = await patiently(path, () => new SqliteSink(config, stream, openForWriting(path), words))
  log.debug({ sink: name, path, stream }, 'sink opened')
  return sink
}
