import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Contender } from '../compare.ts'
import type { Context } from '../context.ts'
import type { HourFile } from '../data.ts'
import type { Command } from '../measure.ts'
import type { Filled } from '../filled-topics.ts'
import { verify } from '../verify.ts'

const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string }
const name = `plain kafkajs ${version}`

/** kafkajs, split2 and avsc as their documentation shows them, 1,000 messages a send. */
export function kafkajsIngest(context: Context): Contender<HourFile> {
  return {
    name,
    remark: 'with split2 and avsc, 1,000 a send; parses every line, Avro without fingerprint',
    async prepare(file) {
      const broker = await context.broker()
      const topic = await broker.topic('kafkajs')
      return {
        command: script('ingest.ts', file.path, broker.address, topic),
        verify: () => verify(broker.address, topic, file.counts),
        clean: () => broker.clear(topic),
      }
    },
  }
}

/** Transactions of kafkajs, a producer a partition, and a Set. */
export function kafkajsDedup(context: Context): Contender<Filled> {
  return {
    name,
    remark: 'with avsc, transactions of 1,000, 4 at a time; the ids in a Set that a restart has lost',
    async prepare({ topic, expected }) {
      const broker = await context.broker()
      const output = await broker.topic('kafkajs')
      return {
        command: script('dedup.ts', broker.address, topic, output, output),
        verify: () => verify(broker.address, output, expected),
        clean: () => broker.clear(output),
      }
    },
  }
}

function script(file: string, ...words: string[]): Command {
  const path = fileURLToPath(new URL(`kafkajs/${file}`, import.meta.url))
  return { words: [process.execPath, '--import', import.meta.resolve('tsx'), path, ...words] }
}
