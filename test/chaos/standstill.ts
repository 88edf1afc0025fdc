import { DatabaseSync, type DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import { until } from '../support/kafka.ts'

const everyMs = 500

/** Watches the offsets in the sink, and remembers the longest time in which they did not move. */
export class Standstill {
  longestMs = 0
  readonly #database: string
  readonly #timer: NodeJS.Timeout
  #sum = 0
  #movedAt = Date.now()

  constructor(database: string) {
    this.#database = database
    this.#timer = setInterval(() => {
      this.#look()
    }, everyMs)
  }

  /** Resolves when they have moved since the call. */
  async untilMoving(limitMs: number): Promise<void> {
    const begun = Date.now()
    await until('messages arrive in the sink again', () => this.#movedAt > begun, limitMs)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const sum = this.#read() ?? this.#sum
    // Less than before after the database was removed.
    if (sum !== this.#sum) {
      this.#sum = sum
      this.#movedAt = Date.now()
    }
    this.longestMs = Math.max(this.longestMs, Date.now() - this.#movedAt)
  }

  #read(): number | undefined {
    let db: Database | undefined
    try {
      db = new DatabaseSync(this.#database, { readOnly: true })
      const row = db.prepare('select sum(next_offset) as sum from positions').get() as { sum: number | null }
      return row.sum ?? 0
    } catch {
      // It is locked by a fault, or its tables are not made yet.
      return undefined
    } finally {
      db?.close()
    }
  }
}
