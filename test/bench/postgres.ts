import { join } from 'node:path'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { newChatfeed } from './chatfeed.ts'
import { compare, type Contender, type Missing } from './compare.ts'
import type { Bench, Context } from './context.ts'
import { type Filled, filledMessages } from './filled-topics.ts'
import { wordsOf } from './machine.ts'
import { type CopyRows, dropTables, dumpTable, newSchema, psqlCopy, verifyTable } from './peers/postgres.ts'
import { comparison } from './table.ts'

/** Messages into a table with its indexes, by revision, with the place in the topic in the same transaction. */
export const postgres: Bench = {
  name: 'postgres',
  title: 'messages → PostgreSQL (the server’s own processor time is in the clock only)',
  messages: 200_000,
  async run(context) {
    if (wordsOf('psql', '--version') === null) {
      context.absent('psql', 'apt install postgresql-client')
      return 'There is nobody to compare with.'
    }
    const server = await startPostgres(context.cleanup)
    const [input, one] = [await prepare(context, server, context.messages), await prepare(context, server, 1)]
    const messages = input.expected.length
    const contenders: (Contender<Filled & CopyRows> | Missing)[] = [
      chatfeedSink(context, server),
      psqlCopy(server),
    ]
    const results = await compare(context, contenders, { input, one, messages })
    await (await context.broker()).clear(input.prefix)
    return comparison(results, messages)
  },
}

async function prepare(context: Context, server: PostgresServer, lines: number): Promise<Filled & CopyRows> {
  const filled = await filledMessages(context, lines)
  const { command, schema, forget } = await sinkInto(context, server, filled.prefix)
  await command.run('up', '--only', 'sink', '--once')
  const rows = join(command.folder, 'rows.copy')
  dumpTable(server, schema, rows)
  await dropTables(server, schema)
  await forget()
  return { ...filled, rows }
}

function chatfeedSink(context: Context, server: PostgresServer): Contender<Filled> {
  return {
    name: 'chatfeed sink',
    remark: 'up --only sink --once; from the topic, COPY into a staging table and upsert by revision',
    async prepare({ prefix, expected }) {
      const { command, schema, forget } = await sinkInto(context, server, prefix)
      return {
        command: command.command('up', '--only', 'sink', '--once'),
        verify: () => verifyTable(server, schema, expected.length),
        async clean() {
          await dropTables(server, schema)
          await forget()
        },
      }
    },
  }
}

/** A chatfeed with a sink into tables of its own. */
async function sinkInto(context: Context, server: PostgresServer, prefix: string) {
  const broker = await context.broker()
  const schema = newSchema()
  const sinks = [{ name: 'warehouse', type: 'postgres', url: server.url, schema }]
  const command = await newChatfeed(context, { sinks }, prefix)
  return { command, schema, forget: () => broker.forget(command.topics.group('sink.warehouse')) }
}
