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

/** Waits of processes that find the file busy; a transaction takes well under a millisecond. */
const busyTimeoutMs = 2_000
/** No provider asks for a longer rest; a later moment is left over from a clock that was set back. */
const longestPauseMs = 24 * 3_600_000
/** SQLite's name for a database without a file. */
export const inMemory = ':memory:'

/**
 * When calls were made and until when nobody may call, in a small SQLite file that every process of a data directory
 * shares: so limits and bans hold across restarts and for several programs at once. A file that cannot be used is
 * replaced by memory, with a warning: limits then hold for this process alone, and no message waits for a disk.
 */
export class CallLog {
  readonly #log: Logger
  #database: Database

  constructor(path: string, log: Logger) {
    this.#log = log
    try {
      if (path !== inMemory) mkdirSync(dirname(path), { recursive: true })
      this.#database = open(path)
    } catch (error) {
      this.#database = this.#inMemory(error)
    }
  }

  /**
   * Notes a call at `nowMs` and answers 0, or answers how many milliseconds to wait before asking again. A `lane` may
   * be allowed only some of the limit's calls: the rest is kept free for others. Pauses are for the caller to ask.
   */
  take(limit: RateLimit, lane: { name: string; calls: number }, nowMs: number): number {
    return this.#guarded(() => this.#inTransaction(() => this.#take(limit, lane, nowMs)))
  }

  /** Nobody may call until `untilMs`. */
  pause(countedBy: string, untilMs: number): void {
    const sql =
      'INSERT INTO pauses VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)'
    this.#guarded(() => this.#database.prepare(sql).run(countedBy, untilMs))
  }

  /** How long nobody may call from `nowMs` on; 0 where there is no pause. */
  pausedMs(countedBy: string, nowMs: number): number {
    const sql = 'SELECT until FROM pauses WHERE counted_by = ?'
    const pause = this.#guarded(
      () => this.#database.prepare(sql).get(countedBy) as { until: number } | undefined,
    )
    const leftMs = (pause?.until ?? 0) - nowMs
    return leftMs > 0 && leftMs <= longestPauseMs ? leftMs : 0
  }

  close(): void {
    this.#database.close()
  }

  #take(
    { countedBy, calls, windowMs }: RateLimit,
    lane: { name: string; calls: number },
    nowMs: number,
  ): number {
    // Moments to come are left over from a clock that was set back.
    this.#database
      .prepare('DELETE FROM calls WHERE counted_by = ? AND (at <= ? OR at > ?)')
      .run(countedBy, nowMs - windowMs, nowMs)
    const waitMs = Math.max(
      this.#untilFree(calls, windowMs, nowMs, countedBy),
      this.#untilFree(lane.calls, windowMs, nowMs, countedBy, lane.name),
    )
    if (waitMs === 0)
      this.#database.prepare('INSERT INTO calls VALUES (?, ?, ?)').run(countedBy, nowMs, lane.name)
    return waitMs
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

  #guarded<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.#database = this.#inMemory(error)
      return work()
    }
  }

  #inMemory(error: unknown): Database {
    const reason = (error as Error).message
    this.#log.warn({ reason }, 'calls are counted in memory only: check that dataDir can be written to')
    return open(inMemory)
  }
}

function open(path: string): Database {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  // Losing the last calls in a power cut is harmless; waiting for the disk at each call is not.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS calls (counted_by TEXT NOT NULL, at INTEGER NOT NULL, lane TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS calls_by_time ON calls (counted_by, at);
    CREATE TABLE IF NOT EXISTS pauses (counted_by TEXT PRIMARY KEY, until INTEGER NOT NULL);
  `)
  return database
}
