import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { openSink } from '../../../src/sinks/index.ts'
import { sinkContext } from '../../support/sink-context.ts'
import type { PostgresServer } from '../../support/postgres.ts'
import type { Contender, Missing } from '../compare.ts'
import { wordsOf } from '../machine.ts'
import type { Expected } from '../verify.ts'

/** The rows of `messages` as COPY writes and reads them, in a file. */
export interface CopyRows {
  rows: string
  expected: Expected
}

/** `psql \copy` into the same table with the same indexes, in one transaction. */
export function psqlCopy(server: PostgresServer): Contender<CopyRows> | Missing {
  const version = /(\d[\d.]*)/.exec(wordsOf('psql', '--version') ?? '')?.[1]
  if (version === undefined) return { name: 'psql', missing: 'apt install postgresql-client' }
  return {
    name: `psql ${version} \\copy`,
    remark: 'finished rows from a file: no Kafka, no Avro, no upsert; fails where an id is there already',
    async prepare({ rows, expected }) {
      const schema = await emptyTables(server)
      return {
        command: { words: ['psql', server.url, '-qc', `\\copy ${schema}.messages from ${rows}`] },
        verify: () => verifyTable(server, schema, expected.length),
        clean: () => dropTables(server, schema),
      }
    },
  }
}

/** A schema with the tables of the sink, empty. */
async function emptyTables(server: PostgresServer): Promise<string> {
  const schema = newSchema()
  const config = { name: 'bench', type: 'postgres', url: server.url, schema } as const
  await (await openSink(config, sinkContext('bench/messages'))).close()
  return schema
}

export const newSchema = (): string => `bench_${randomBytes(4).toString('hex')}`

/** Writes the rows of a table into a file. */
export function dumpTable(server: PostgresServer, schema: string, into: string): void {
  const { status, stderr } = spawnSync('psql', [server.url, '-qc', `\\copy ${schema}.messages to ${into}`])
  if (status !== 0) throw new Error(stderr.toString())
}

/** Throws unless the table has so many messages, each once. */
export async function verifyTable(server: PostgresServer, schema: string, messages: number): Promise<void> {
  const [row] = await server.query<{ count: string }>(
    `select count(distinct message_id) as count from ${schema}.messages`,
  )
  if (Number(row?.count) !== messages)
    throw new Error(`WRONG RESULT: ${row?.count} of ${messages} messages in ${schema}`)
}

/** What one has written is on the disk before the next one begins. */
export async function dropTables(server: PostgresServer, schema: string): Promise<void> {
  await server.query(`drop schema ${schema} cascade`)
  await server.query('checkpoint')
}
