import { newChatfeed } from './chatfeed.ts'
import { compare, type Contender } from './compare.ts'
import type { Bench, Context } from './context.ts'
import { type HourFile, hourFile } from './data.ts'
import { bento } from './peers/bento.ts'
import { kcat } from './peers/kcat.ts'
import { kafkajsIngest } from './peers/plain-kafkajs.ts'
import { comparison } from './table.ts'
import { verify } from './verify.ts'

/** A saved hour file into a topic: whole messages from chatfeed and the parsing peers, bare lines from kcat. */
export const ingest: Bench = {
  name: 'ingest',
  title: 'gz hour file → topic of 4 partitions, LZ4, idempotent, acks=all',
  messages: 500_000,
  async run(context) {
    const work = {
      input: await hourFile(context.messages, context.say),
      one: await hourFile(1, context.say),
      messages: context.messages,
    }
    const contenders = [chatfeedImport(context), kcat(context), await bento(context), kafkajsIngest(context)]
    return comparison(await compare(context, contenders, work), work.messages)
  },
}

/** `import` of an hour file. */
export function chatfeedImport(context: Context): Contender<HourFile> {
  return {
    name: 'chatfeed import',
    remark: 'id, fingerprint, Avro; every line accounted for in the ledger',
    async prepare(file) {
      const chatfeed = await newChatfeed(context)
      const broker = await context.broker()
      return {
        command: chatfeed.import(file.path),
        verify: () => verify(broker.address, chatfeed.topics.raw('easemob'), file.counts),
        clean: () => broker.clear(chatfeed.prefix),
      }
    },
  }
}
