import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseSync, type DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import { until } from '../support/kafka.ts'
import type { Chatfeed } from './chatfeed.ts'
import type { Context } from './context.ts'
import { cpuMsOf, peakKbOf } from './processes.ts'

const startLimitMs = 60_000
const lockPatienceMs = 2_000
const stopLimitMs = 15_000

/** An `up` that runs until it is stopped. */
export interface Running {
  /** Processor time it has used until now. */
  cpuMs(): number
  /** Rejects with its last words where it ends before it is stopped. */
  failed: Promise<never>
  /** Ends it and resolves to its peak of resident memory, MB. */
  stop(): Promise<number>
}

/** Starts `up` beside what else is measured; killed at the latest with the benchmark. */
export function startUp(context: Context, chatfeed: Chatfeed, ...words: string[]): Running {
  const [command = '', ...rest] = chatfeed.command('up', ...words).words
  const child = spawn(command, rest, { cwd: chatfeed.folder, stdio: ['ignore', 'ignore', 'pipe'] })
  context.cleanup.after(() => child.kill('SIGKILL'))
  const pid = child.pid!
  const ended = Promise.all([once(child, 'exit'), text(child.stderr)])
  let isStopped = false
  const failed = ended.then(([[status], stderr]) => {
    if (isStopped) return new Promise<never>(() => undefined)
    throw new Error(`up ended with ${String(status)}:\n${stderr.slice(-2_000)}`)
  })
  failed.catch(() => undefined)
  return {
    cpuMs: () => cpuMsOf(pid),
    failed,
    async stop() {
      isStopped = true
      const peakRssMb = peakKbOf(pid) / 1_024
      child.kill('SIGTERM')
      if (await Promise.race([ended, delay(stopLimitMs, undefined, { ref: false })])) return peakRssMb
      throw new Error(`up did not end within ${stopLimitMs} ms of SIGTERM`)
    },
  }
}

/** Looks at the database of a running sink. */
export class Rows {
  readonly #db: Database
  readonly #newer
  #last = 0

  private constructor(db: Database) {
    this.#db = db
    this.#newer = db.prepare('select rowid, message_id as id from messages where rowid > ? order by rowid')
  }

  /** Waits until the sink has made its tables. */
  static async open(path: string): Promise<Rows> {
    await until('there is a database', () => existsSync(path), startLimitMs)
    const db = new DatabaseSync(path, { readOnly: true, timeout: lockPatienceMs })
    const tables = db.prepare("select 1 from sqlite_schema where name = 'message_words'")
    await until('it has its tables', () => tables.get() !== undefined, startLimitMs)
    return new Rows(db)
  }

  /** Provider's ids of the rows that have come since the last call. */
  new(): string[] {
    const rows = this.#newer.all(this.#last) as { rowid: number; id: string }[]
    this.#last = rows.at(-1)?.rowid ?? this.#last
    return rows.map(({ id }) => id)
  }

  /** How many rows have come, as long as none is replaced. */
  count(): number {
    const { last } = this.#db.prepare('select max(rowid) as last from messages').get() as {
      last: number | null
    }
    return last ?? 0
  }

  close(): void {
    this.#db.close()
  }
}
