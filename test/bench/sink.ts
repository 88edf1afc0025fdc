import { join } from 'node:path'
import { newChatfeed } from './chatfeed.ts'
import { compare, type Contender, type Missing } from './compare.ts'
import type { Bench, Context } from './context.ts'
import { dumpRows, verifyDatabase } from './database.ts'
import { type Filled, filledMessages } from './filled-topics.ts'
import { pythonSqlite, type Rows } from './peers/sqlite.ts'
import { comparison } from './table.ts'

/** Messages into a table with a full-text index, with the place in the topic in the same transaction. */
export const sink: Bench = {
  name: 'sink',
  title: 'messages → SQLite with full-text index',
  messages: 200_000,
  async run(context) {
    const [input, one] = [await prepare(context, context.messages), await prepare(context, 1)]
    const messages = input.expected.length
    const contenders: (Contender<Filled & Rows> | Missing)[] = [chatfeedSink(context), pythonSqlite(context)]
    const results = await compare(context, contenders, { input, one, messages })
    await (await context.broker()).clear(input.prefix)
    return comparison(results, messages)
  },
}

async function prepare(context: Context, lines: number): Promise<Filled & Rows> {
  const filled = await filledMessages(context, lines)
  const chatfeed = await newChatfeed(context, {}, filled.prefix)
  await chatfeed.run('up', '--only', 'sink', '--once')
  const rows = join(chatfeed.folder, 'rows.ndjson')
  dumpRows(chatfeed.database, rows)
  await (await context.broker()).forget(chatfeed.topics.group('sink.search'))
  return { ...filled, rows }
}

function chatfeedSink(context: Context): Contender<Filled> {
  return {
    name: 'chatfeed sink',
    remark: 'up --only sink --once; from the topic, Chinese cut into words by a dictionary',
    async prepare({ prefix, expected }) {
      const broker = await context.broker()
      const chatfeed = await newChatfeed(context, {}, prefix)
      return {
        command: chatfeed.command('up', '--only', 'sink', '--once'),
        verify() {
          verifyDatabase(chatfeed.database, expected)
          return Promise.resolve()
        },
        clean: () => broker.forget(chatfeed.topics.group('sink.search')),
      }
    },
  }
}
