import type { DatabaseSyncInstance as Database } from '@photostructure/sqlite'

type Value = string | number | Buffer | null

/** Rows a statement: twice as fast as one by one, since a call costs as much as its values. */
const rowsAtOnce = 32

/** Adds rows to a table, many at a time. What was added is in the table after `flush`. */
export class BulkInsert {
  readonly #columns: number
  readonly #one
  readonly #many
  #waiting: Value[] = []

  constructor(db: Database, table: string, columns: number) {
    const row = `(${Array<string>(columns).fill('?').join(', ')})`
    const insert = (rows: number) =>
      db.prepare(`insert into ${table} values ${Array<string>(rows).fill(row).join(', ')}`)
    this.#columns = columns
    this.#one = insert(1)
    this.#many = insert(rowsAtOnce)
  }

  /** A value for every column. */
  add(...values: Value[]): void {
    this.#waiting.push(...values)
    if (this.#waiting.length < rowsAtOnce * this.#columns) return
    this.#many.run(...this.#waiting)
    this.#waiting = []
  }

  flush(): void {
    for (let at = 0; at < this.#waiting.length; at += this.#columns)
      this.#one.run(...this.#waiting.slice(at, at + this.#columns))
    this.#waiting = []
  }
}
