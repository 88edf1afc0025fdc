import { newChatfeed } from './chatfeed.ts'
import type { Context } from './context.ts'
import { hourFile } from './data.ts'
import { measure } from './measure.ts'
import type { Expected } from './verify.ts'

/** The topics of one chatfeed, filled up to a stage, for those who read them. */
export interface Filled {
  prefix: string
  /** The last one filled. */
  topic: string
  /** What must be in the topic behind it: each message once. */
  expected: Expected
}

/** `raw.easemob`, filled by `chatfeed import` with an hour file. */
export async function filledRaw(context: Context, lines: number): Promise<Filled> {
  const file = await hourFile(lines, context.say)
  if (lines > 1) context.say(`filling a raw topic with ${lines} messages`)
  const chatfeed = await newChatfeed(context)
  await measure(chatfeed.import(file.path))
  const expected = new Uint8Array(file.distinct).fill(1)
  return { prefix: chatfeed.prefix, topic: chatfeed.topics.raw('easemob'), expected }
}

/** `unique` too. */
export async function filledUnique(context: Context, lines: number): Promise<Filled> {
  const raw = await filledRaw(context, lines)
  const chatfeed = await newChatfeed(context, {}, raw.prefix)
  await chatfeed.run('up', '--only', 'dedup', '--once')
  return { ...raw, topic: chatfeed.topics.unique }
}

/** `messages` too. */
export async function filledMessages(context: Context, lines: number): Promise<Filled> {
  const unique = await filledUnique(context, lines)
  const chatfeed = await newChatfeed(context, {}, unique.prefix)
  await chatfeed.run('up', '--only', 'enrich', '--once')
  return { ...unique, topic: chatfeed.topics.messages }
}
