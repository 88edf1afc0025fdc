import pg from 'pg'

/** What a query of the driver is given of its connection when the server asks for the rows of a COPY. */
interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/** Statements sent at once, one of them a `copy … from stdin`, and the rows for it. */
class CopyQuery extends pg.Query {
  readonly #rows: Buffer

  constructor(text: string, rows: Buffer, done: (error: Error | undefined, results: unknown) => void) {
    super(text, done)
    this.#rows = rows
  }

  /** Called by the driver. */
  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.#rows)
    connection.endCopyFrom()
  }
}

/**
 * Runs statements in one transaction and one round trip, as the server does with all that it is sent at once. Resolves
 * to the number of rows that the last one changed.
 */
export function copyAtOnce(client: pg.ClientBase, text: string, rows: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const query = new CopyQuery(text, rows, (error, results) => {
      if (error) reject(error)
      else resolve([results as pg.QueryResult].flat().at(-1)?.rowCount ?? 0)
    })
    client.query(query)
  })
}
