import { newChatfeed } from './chatfeed.ts'
import type { Context } from './context.ts'
import { hourFile } from './data.ts'
import { measure } from './measure.ts'
import type { Expected } from './verify.ts'

/** Messages in `raw`, as chatfeed publishes them, for those who read them. */
export interface RawTopic {
  /** Of the chatfeed to whom it belongs. */
  prefix: string
  topic: string
  messages: number
  /** What must be in `unique`: each message once. */
  expected: Expected
}

/** Fills it by `chatfeed import`. */
export async function rawTopic(context: Context, messages: number): Promise<RawTopic> {
  const file = await hourFile(messages, context.say)
  if (messages > 1) context.say(`filling a raw topic with ${messages} messages`)
  const chatfeed = await newChatfeed(context)
  await measure(chatfeed.import(file.path))
  const expected = new Uint8Array(file.distinct).fill(1)
  return { prefix: chatfeed.prefix, topic: chatfeed.topics.raw('easemob'), messages, expected }
}
