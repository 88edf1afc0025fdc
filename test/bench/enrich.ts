import { newChatfeed } from './chatfeed.ts'
import { compare, type Contender } from './compare.ts'
import type { Bench, Context } from './context.ts'
import { type Filled, filledUnique } from './filled-topics.ts'
import { comparison, perCore } from './table.ts'
import { verify } from './verify.ts'

/** Every message understood and put into chatfeed's own words, exactly once. */
export const enrich: Bench = {
  name: 'enrich',
  title: 'unique → messages: normalise, attachments as links, exactly once, 4 partitions',
  messages: 500_000,
  async run(context) {
    const [input, one] = [await filledUnique(context, context.messages), await filledUnique(context, 1)]
    const messages = input.expected.length
    const results = await compare(context, [chatfeedEnrich(context)], { input, one, messages })
    await (await context.broker()).clear(input.prefix)
    return `${comparison(results, messages)}\n\n${perCore(results[0]!, messages)}`
  },
}

function chatfeedEnrich(context: Context): Contender<Filled> {
  return {
    name: 'chatfeed enrich',
    remark: 'up --only enrich --once',
    async prepare({ prefix, expected }) {
      const broker = await context.broker()
      const chatfeed = await newChatfeed(context, {}, prefix)
      const { topics } = chatfeed
      return {
        command: chatfeed.command('up', '--only', 'enrich', '--once'),
        verify: () => verify(broker.address, topics.messages, expected),
        async clean() {
          for (const topic of [topics.messages, topics.dead]) await broker.clear(topic)
          await broker.forget(topics.group('enrich'))
        },
      }
    },
  }
}
