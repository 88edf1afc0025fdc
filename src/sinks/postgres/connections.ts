import pg from 'pg'
import type { PostgresConfig } from './config.ts'
import { postgresFailure } from './failure.ts'

/** A write at work has a connection; further ones wait for their turn. */
const mostConnections = 8
const connectTimeoutMs = 10_000
const answerTimeoutMs = 60_000

/** The few connections of a sink to its database. They are made when they are needed. */
export class Connections {
  readonly #config: PostgresConfig
  readonly #pool: pg.Pool
  #closing: Promise<void> | undefined

  constructor(config: PostgresConfig) {
    this.#config = config
    this.#pool = new pg.Pool({
      connectionString: withLibpqModes(config.url),
      application_name: 'chatfeed',
      max: mostConnections,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: answerTimeoutMs,
      keepAlive: true,
    })
    // A lost connection: who uses it hears of it by the query, and the next use makes another.
    this.#pool.on('error', () => undefined)
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  /** Runs `work` with a connection. Throws ChatfeedError as `postgresFailure` makes it of what the driver throws. */
  async use<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    try {
      const client = await this.#pool.connect()
      let isSound = false
      try {
        const result = await work(client)
        isSound = true
        return result
      } catch (error) {
        isSound = error instanceof pg.DatabaseError // the server answered: the connection lives
        throw error
      } finally {
        client.release(!isSound)
      }
    } catch (error) {
      throw postgresFailure(error, this.#config)
    }
  }

  /** Closing twice is harmless. */
  close(): Promise<void> {
    return (this.#closing ??= this.#pool.end())
  }
}

/** The words of `sslmode` mean here what they mean for psql. */
function withLibpqModes(url: string): string {
  const parsed = new URL(url)
  if (parsed.searchParams.has('sslmode')) parsed.searchParams.set('uselibpqcompat', 'true')
  return parsed.href
}
