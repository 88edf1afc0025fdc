import { Pool } from 'undici'
import type { ClickhouseConfig } from './config.ts'
import { networkFailure, refusalOf } from './failure.ts'

/** A write at work has a connection; further ones wait for their turn. */
const mostConnections = 8
const connectTimeoutMs = 10_000
const answerTimeoutMs = 60_000

type Settings = Record<string, string | number>

/** The HTTP interface of a server. Every call throws ChatfeedError `transient` or `fatal` where it is not answered. */
export class ClickhouseClient {
  /** Where it is, without user and password. */
  readonly place: string
  readonly #pool: Pool
  readonly #path: string
  readonly #headers: Record<string, string>
  #closing: Promise<void> | undefined

  constructor({ url, username, password }: ClickhouseConfig) {
    const { origin, host, pathname } = new URL(url)
    this.place = host
    this.#path = pathname
    this.#headers = {
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      'user-agent': 'chatfeed',
    }
    this.#pool = new Pool(origin, {
      connections: mostConnections,
      connect: { timeout: connectTimeoutMs },
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
    })
  }

  /** The rows that a statement gives, as objects. */
  async query<Row>(statement: string): Promise<Row[]> {
    // Long lists of ids are a part of the statement.
    const answer = await this.#send(`${statement} format JSONEachRow`, null, { max_query_size: 100_000_000 })
    return answer
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row)
  }

  /** Runs a statement that gives no rows. */
  async run(statement: string): Promise<void> {
    await this.#send(statement, null, {})
  }

  /** Inserts rows, JSON objects a line each; when this resolves they are stored. */
  async insert(table: string, rows: Buffer, settings: Settings = {}): Promise<void> {
    await this.#send(`insert into ${table} format JSONEachRow`, rows, { async_insert: 0, ...settings })
  }

  /** Closing twice is harmless. */
  close(): Promise<void> {
    return (this.#closing ??= this.#pool.close())
  }

  async #send(statement: string, rows: Buffer | null, settings: Settings): Promise<string> {
    // Errors that come late would otherwise stand in the middle of an answer with status 200.
    const all = { wait_end_of_query: 1, ...settings, ...(rows && { query: statement }) }
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(all)) parameters.set(name, String(value))
    try {
      const { statusCode, headers, body } = await this.#pool.request({
        method: 'POST',
        path: `${this.#path}?${parameters.toString()}`,
        headers: this.#headers,
        body: rows ?? statement,
      })
      const answer = await body.text()
      if (statusCode === 200) return answer
      const exception = Number(headers['x-clickhouse-exception-code'] ?? NaN)
      throw refusalOf(
        { status: statusCode, exception: Number.isNaN(exception) ? null : exception },
        this.place,
      )
    } catch (error) {
      throw networkFailure(error, this.place)
    }
  }
}
