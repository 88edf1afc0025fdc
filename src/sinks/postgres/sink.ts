import { ChatfeedError } from '../../errors.ts'
import type { RecordSet } from '../../kafka/record-set.ts'
import type { Message } from '../../model.ts'
import type { Sink, SinkContext } from '../sink.ts'
import type { PostgresConfig } from './config.ts'
import { Connections } from './connections.ts'
import { copyAtOnce } from './copy-query.ts'
import { storable } from './copy-text.ts'
import { placeOf } from './failure.ts'
import { migrate } from './migrations.ts'
import { literal, quoted } from './quoted.ts'
import { columnNames, toLine } from './row.ts'
import { checkEncoding } from './server.ts'

/** A message on its way: its newest revision in a set, as a line for COPY. */
interface Row extends Pick<Message, 'id' | 'revision'> {
  line: string
}

/** Opens the tables of the sink, made anew where they are missing. */
export async function openPostgresSink(config: PostgresConfig, context: SinkContext): Promise<Sink> {
  const connections = new Connections(config)
  try {
    await connections.use(async (client) => {
      await checkEncoding(client)
      await migrate(client, config.schema)
    })
  } catch (error) {
    await connections.close()
    throw error
  }
  context.log.debug({ sink: config.name, place: placeOf(config.url), stream: context.stream }, 'sink opened')
  return new PostgresSink(config, context, connections)
}

class PostgresSink implements Sink {
  readonly type = 'postgres'
  readonly name: string
  readonly #place: string
  readonly #context: SinkContext
  readonly #connections: Connections
  readonly #tables: { messages: string; positions: string }
  readonly #putRows: string
  /** What the store is known to have of each partition. */
  readonly #known = new Map<number, number>()

  constructor({ name, url, schema }: PostgresConfig, context: SinkContext, connections: Connections) {
    this.name = name
    this.#place = placeOf(url)
    this.#context = context
    this.#connections = connections
    this.#tables = { messages: `${quoted(schema)}.messages`, positions: `${quoted(schema)}.positions` }
    this.#putRows = putRows(this.#tables.messages)
  }

  async position(partition: number): Promise<number | null> {
    const { rows } = await this.#connections.use((client) =>
      client.query<{ next: string }>(
        `select next_offset as next from ${this.#tables.positions} where stream = $1 and partition = $2`,
        [this.#context.stream, partition],
      ),
    )
    if (!rows[0]) {
      this.#known.delete(partition)
      return null
    }
    const next = Number(rows[0].next)
    this.#known.set(partition, next)
    return next
  }

  async write(records: RecordSet): Promise<readonly number[]> {
    const { rows, fetchedAt } = this.#rowsOf(records)
    try {
      await this.#put(rows, records)
    } catch (error) {
      if (!isAboutMessage(error)) throw error
      for (const { row, why } of await this.#putWhatGoes(rows, error)) {
        await this.#context.refuse(records, row, why)
      }
      await this.#put([], records)
    }
    return fetchedAt
  }

  async rows(): Promise<number> {
    const { rows } = await this.#connections.use((client) =>
      client.query<{ count: string }>(`select count(*) as count from ${this.#tables.messages}`),
    )
    return Number(rows[0]?.count)
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  #rowsOf(records: RecordSet): { rows: Row[]; fetchedAt: number[] } {
    const newest = new Map<string, Row>()
    const fetchedAt: number[] = []
    for (const message of this.#context.messagesOf(records)) {
      fetchedAt.push(message.fetchedAt)
      const { id, revision } = message
      const key = storable(id)
      if ((newest.get(key)?.revision ?? -1) < revision)
        newest.set(key, { id, revision, line: toLine(message) })
    }
    return { rows: [...newest.values()], fetchedAt }
  }

  /** The rows, and the position of their set if it is given, in one transaction. */
  async #put(rows: readonly Row[], records?: RecordSet): Promise<void> {
    const statements = [
      ...(rows.length > 0 ? [this.#putRows] : []),
      ...(records ? [this.#advance(records)] : []),
    ]
    const lines = Buffer.from(rows.map(({ line }) => line).join(''))
    const changed = await this.#connections.use((client) => copyAtOnce(client, statements.join(';\n'), lines))
    if (!records) return
    const { partition, nextOffset } = records
    if (changed === 0) throw setBack(this.#place, partition)
    this.#known.set(partition, Math.max(nextOffset, this.#known.get(partition) ?? 0))
  }

  /**
   * Never backwards. Of a store that no longer has what it was known to have (restored, or failed over to a replica that
   * lagged) the position stays, or what lies between would be lost.
   */
  #advance({ partition, nextOffset }: RecordSet): string {
    const { positions } = this.#tables
    const known = this.#known.get(partition)
    const stream = literal(this.#context.stream)
    return known === undefined
      ? `insert into ${positions} as p values (${stream}, ${partition}, ${nextOffset})
         on conflict (stream, partition) do update set next_offset = greatest(p.next_offset, ${nextOffset})`
      : `update ${positions} set next_offset = greatest(next_offset, ${nextOffset})
         where stream = ${stream} and partition = ${partition} and next_offset >= ${known}`
  }

  /** Halves the rows until each that the store does not take stands alone; the others are stored. Resolves to those. */
  async #putWhatGoes(rows: readonly Row[], why: ChatfeedError): Promise<{ row: Row; why: ChatfeedError }[]> {
    if (rows.length === 1) return rows.map((row) => ({ row, why }))
    const middle = rows.length >> 1
    const refused = []
    for (const half of [rows.slice(0, middle), rows.slice(middle)]) {
      try {
        await this.#put(half)
      } catch (error) {
        if (!isAboutMessage(error)) throw error
        refused.push(...(await this.#putWhatGoes(half, error)))
      }
    }
    return refused
  }
}

/**
 * The staging table is the session's own, and made when it is not there: a pooler may give every transaction another
 * session. Rows go in by the order of their ids, so that two writers of the same ids never wait for each other crosswise.
 */
function putRows(messages: string): string {
  const columns = columnNames.join(', ')
  const changes = columnNames.slice(1).map((name) => `${name} = excluded.${name}`)
  return `create temp table if not exists chatfeed_staging (like ${messages}) on commit delete rows;
    copy pg_temp.chatfeed_staging (${columns}) from stdin;
    insert into ${messages} as m (${columns})
    select ${columns} from pg_temp.chatfeed_staging order by id
    on conflict (id) do update set ${changes.join(', ')} where excluded.revision > m.revision`
}

const isAboutMessage = (error: unknown): error is ChatfeedError =>
  error instanceof ChatfeedError && error.remedy === 'message'

function setBack(place: string, partition: number): ChatfeedError {
  return new ChatfeedError(
    'transient',
    'store_set_back',
    `PostgreSQL at ${place} no longer has what it was given of partition ${partition}: it is given again.`,
  )
}
