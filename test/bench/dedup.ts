import { newChatfeed } from './chatfeed.ts'
import { compare, type Contender } from './compare.ts'
import type { Bench, Context } from './context.ts'
import { kafkajsDedup } from './peers/plain-kafkajs.ts'
import { streams } from './peers/streams.ts'
import { type Filled, filledRaw } from './filled-topics.ts'
import { comparison } from './table.ts'
import { verify } from './verify.ts'

/** Repeats out, exactly once, from a topic into a topic. */
export const dedup: Bench = {
  name: 'dedup',
  title: 'exactly-once dedup of a topic with one repeat in ten into another, 4 partitions',
  messages: 2_000_000,
  async run(context) {
    const [input, one] = [await filledRaw(context, context.messages), await filledRaw(context, 1)]
    const contenders = [chatfeedDedup(context), await streams(context), kafkajsDedup(context)]
    const results = await compare(context, contenders, { input, one, messages: context.messages })
    await (await context.broker()).clear(input.prefix)
    return comparison(results, context.messages)
  },
}

/** `up --only dedup --once` on a raw topic, each time into an empty `unique`. */
export function chatfeedDedup(context: Context): Contender<Filled> {
  return {
    name: 'chatfeed dedup',
    remark: 'up --only dedup --once; numbers the revisions beside',
    async prepare({ prefix, expected }) {
      const broker = await context.broker()
      const chatfeed = await newChatfeed(context, {}, prefix)
      return {
        command: chatfeed.command('up', '--only', 'dedup', '--once'),
        verify: () => verify(broker.address, chatfeed.topics.unique, expected),
        async clean() {
          for (const topic of [chatfeed.topics.unique, chatfeed.topics.dead]) await broker.clear(topic)
          await broker.forget(chatfeed.topics.group('dedup'))
        },
      }
    },
  }
}
