import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageCodec } from '../support/codecs.ts'
import { openSink } from '../../src/sinks/index.ts'
import { opensearchConfig } from '../../src/sinks/opensearch/config.ts'
import { toOperation } from '../../src/sinks/opensearch/operation.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { sinkContext } from '../support/sink-context.ts'
import { ask } from '../support/stores/opensearch-store.ts'
import { startOpensearch } from '../support/stores/opensearch/server.ts'
import { partitions } from './broker.ts'
import { newChatfeed } from './chatfeed.ts'
import { compare, type Contender } from './compare.ts'
import type { Bench, Context } from './context.ts'
import { type Filled, filledMessages } from './filled-topics.ts'
import { comparison } from './table.ts'

/** About as large as the bodies that chatfeed sends. */
const fileBytes = 1 << 20

/** Finished bodies of `_bulk` in a folder. */
interface Bodies {
  bodies: string
}

/** Messages into OpenSearch, a document each, with the place in the topic beside them. */
export const opensearch: Bench = {
  name: 'opensearch',
  title: 'messages → OpenSearch',
  messages: 200_000,
  long: true,
  async run(context) {
    const { url } = await startOpensearch(context.cleanup, {}, 'full')
    const [input, one] = [await prepare(context, context.messages), await prepare(context, 1)]
    const messages = input.expected.length
    const contenders = [chatfeedSink(context, url), rawBulk(context, url)]
    const results = await compare<Filled & Bodies>(context, contenders, { input, one, messages })
    await (await context.broker()).clear(input.prefix)
    return comparison(results, messages)
  },
}

async function prepare(context: Context, lines: number): Promise<Filled & Bodies> {
  const filled = await filledMessages(context, lines)
  const { address } = await context.broker()
  const bodies = join(context.folder, randomBytes(4).toString('hex'))
  mkdirSync(bodies)
  const config = opensearchConfig.parse({ name: 'words', type: 'opensearch', url: 'http://127.0.0.1' })
  let body = ''
  let files = 0
  const write = () => {
    writeFileSync(join(bodies, `${files++}.ndjson`), body)
    body = ''
  }
  for (const { value } of await readCommitted([address], filled.topic)) {
    const message = messageCodec.decode(value)
    if (message) body += toOperation(message, config).lines
    if (body.length > fileBytes) write()
  }
  if (body !== '') write()
  return { ...filled, bodies }
}

/** Throws unless the index holds every message; then removes it. */
async function verify(url: string, index: string, expected: number): Promise<void> {
  await ask(url, 'POST', `/${index}/_refresh`)
  const { count } = await ask<{ count: number }>(url, 'GET', `/${index}/_count`)
  if (count !== expected) throw new Error(`WRONG RESULT in ${index}: ${count} of ${expected} messages`)
  await ask(url, 'DELETE', `/${index}-000001`)
}

function chatfeedSink(context: Context, url: string): Contender<Filled & Bodies> {
  return {
    name: 'chatfeed sink',
    remark: 'up --only sink --once; from the topic, Avro to JSON',
    async prepare({ prefix, expected }) {
      const broker = await context.broker()
      const index = `b${randomBytes(4).toString('hex')}`
      const sinks = [{ name: 'words', type: 'opensearch', url, index }]
      const chatfeed = await newChatfeed(context, { sinks }, prefix)
      return {
        command: chatfeed.command('up', '--only', 'sink', '--once'),
        async verify() {
          await verify(url, index, expected.length)
          await ask(url, 'DELETE', `/${index}-offsets`)
        },
        clean: () => broker.forget(chatfeed.topics.group('sink.words')),
      }
    },
  }
}

function rawBulk(context: Context, url: string): Contender<Filled & Bodies> {
  return {
    name: 'curl _bulk',
    remark: `finished bodies from files, ${partitions} at once: no Kafka, no Avro, the same documents and mapping`,
    async prepare({ bodies, expected }) {
      const index = `b${randomBytes(4).toString('hex')}`
      const config = opensearchConfig.parse({ name: 'words', type: 'opensearch', url, index })
      await (await openSink(config, sinkContext('bench'))).close()
      const curl = `curl -sSf --retry 9 -o /dev/null -H content-type:application/x-ndjson --data-binary @{} ${url}/${index}/_bulk`
      const script = `ls ${bodies}/*.ndjson | xargs -P ${partitions} -I{} ${curl}`
      return {
        command: { words: ['bash', '-c', script], cwd: context.folder },
        async verify() {
          await verify(url, index, expected.length)
          await ask(url, 'DELETE', `/${index}-offsets`)
        },
      }
    },
  }
}
