import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import type { Logger } from '../log.ts'

/** What an account, or this machine, may ask of a provider. */
export interface RateLimit {
  /** Names what the provider counts by: all sources with the same name share the limit. */
  countedBy: string
  /** At most so many calls in any window of `windowMs`. */
  calls: number
  windowMs: number
}

/** Whether a call may be made now. */
export type Permission =
  /** It may, and is noted. */
  | { state: 'granted' }
  /** The limit is used up, or the file is busy: ask again then. */
  | { state: 'wait'; ms: number }
  /** The provider wants a rest. */
  | { state: 'rest'; ms: number }

/** No provider is believed to ask for a longer rest; a later moment is left over from a clock that was set back. */
const longestRestMs = 3_600_000
/** A transaction takes well under a millisecond; whoever holds the file longer is waited for without blocking. */
const busyTimeoutMs = 50
const busyWaitMs = 100
/** SQLite's name for a database without a file. */
export const inMemory = ':memory:'

/**
 * When calls were made and until when nobody may call, in a small SQLite file that every process of a data directory
 * shares: so limits and bans hold across restarts and for several programs at once. A file that cannot be used is
 * replaced by memory, with a warning: limits then hold for this process alone, and no message waits for a disk.
 */
export class CallLog {
  readonly #log: Logger
  readonly #now: () => number
  /** The rests that this process was told of: they hold even if the file could not take them. */
  readonly #restUntil = new Map<string, number>()
  #database: Database
  #trouble: string | null = null

  constructor(path: string, log: Logger, now: () => number = Date.now) {
    this.#log = log
    this.#now = now
    try {
      if (path !== inMemory) mkdirSync(dirname(path), { recursive: true })
      this.#database = open(path)
    } catch (error) {
      this.#database = this.#inMemory(error)
    }
  }

  /** Why calls are counted in memory only; null while the file is in use. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** Asks for one call. A `lane` may be allowed only some of the limit's calls: the rest is kept free for others. */
  take(limit: RateLimit, lane: { name: string; calls: number }): Permission {
    if (!this.#database.isOpen) return { state: 'wait', ms: busyWaitMs }
    try {
      return this.#inTransaction(() => this.#take(limit, lane))
    } catch (error) {
      if (isBusy(error)) return { state: 'wait', ms: busyWaitMs }
      this.#replace(error)
      return this.#take(limit, lane)
    }
  }

  /** Nobody may call for so long; of two rests the longer counts. */
  rest(countedBy: string, ms: number): void {
    const until = this.#now() + ms
    this.#restUntil.set(countedBy, Math.max(until, this.#restUntil.get(countedBy) ?? 0))
    const sql = 'INSERT INTO rests VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)'
    try {
      if (this.#database.isOpen) this.#database.prepare(sql).run(countedBy, until)
    } catch (error) {
      if (!isBusy(error)) this.#replace(error)
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #take({ countedBy, calls, windowMs }: RateLimit, lane: { name: string; calls: number }): Permission {
    // Within the transaction: whoever had to wait for it must see what others noted meanwhile as past.
    const nowMs = this.#now()
    const restMs = this.#restMs(countedBy, nowMs)
    if (restMs > 0) return { state: 'rest', ms: restMs }
    // Moments far ahead are left over from a clock that was set back.
    this.#database
      .prepare('DELETE FROM calls WHERE counted_by = ? AND (at <= ? OR at > ?)')
      .run(countedBy, nowMs - windowMs, nowMs + windowMs)
    const waitMs = Math.max(
      this.#untilFree(calls, windowMs, nowMs, countedBy),
      this.#untilFree(lane.calls, windowMs, nowMs, countedBy, lane.name),
    )
    if (waitMs > 0) return { state: 'wait', ms: waitMs }
    this.#database.prepare('INSERT INTO calls VALUES (?, ?, ?)').run(countedBy, nowMs, lane.name)
    return { state: 'granted' }
  }

  #restMs(countedBy: string, nowMs: number): number {
    const row = this.#database.prepare('SELECT until FROM rests WHERE counted_by = ?').get(countedBy) as
      { until: number } | undefined
    const until = Math.max(row?.until ?? 0, this.#restUntil.get(countedBy) ?? 0)
    return until - nowMs <= longestRestMs ? Math.max(0, until - nowMs) : 0
  }

  /** Milliseconds until fewer than `calls` lie within the window. */
  #untilFree(
    calls: number,
    windowMs: number,
    nowMs: number,
    countedBy: string,
    lane: string | null = null,
  ): number {
    const sql =
      'SELECT at FROM calls WHERE counted_by = ?1 AND (?2 IS NULL OR lane = ?2) ORDER BY at DESC LIMIT 1 OFFSET ?3'
    const last = this.#database.prepare(sql).get(countedBy, lane, calls - 1) as { at: number } | undefined
    return last ? Math.max(0, last.at + windowMs - nowMs) : 0
  }

  #inTransaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #replace(error: unknown): void {
    this.close()
    this.#database = this.#inMemory(error)
  }

  #inMemory(error: unknown): Database {
    this.#trouble = (error as Error).message
    this.#log.warn(
      { reason: this.#trouble },
      'calls are counted in memory only: check calls.db in dataDir, its disk and the right to write there',
    )
    return open(inMemory)
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'sqliteCodeName' in error &&
  String(error.sqliteCodeName).startsWith('SQLITE_BUSY')

function open(path: string): Database {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  // Losing the last calls in a power cut is harmless; waiting for the disk at each call is not.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS calls (counted_by TEXT NOT NULL, at INTEGER NOT NULL, lane TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS calls_by_time ON calls (counted_by, at);
    CREATE TABLE IF NOT EXISTS rests (counted_by TEXT PRIMARY KEY, until INTEGER NOT NULL);
  `)
  return database
}
