import { z } from 'zod'
import { conversationKinds, type Message, messageKinds } from '../model.ts'

const listOf = <Word extends z.ZodType<string>>(word: Word) =>
  z
    .union([word, z.array(word).min(1)], { error: 'write one word, or a list of words that are known here' })
    .transform((given): z.output<Word>[] => [given].flat() as z.output<Word>[])

const word = z.string().min(1)

/**
 * Which messages a sink takes: those that fit every key that is given; of a list one word is enough. `conversation`
 * is an id, or `direct`, `group` or `room` for all of a kind.
 */
export const whereSchema = z.strictObject({
  provider: listOf(word).optional(),
  source: listOf(word).optional(),
  kind: listOf(z.enum(messageKinds)).optional(),
  conversation: listOf(word).optional(),
})
/** A checked filter. */
export type Where = z.output<typeof whereSchema>

const kinds: readonly string[] = conversationKinds

/** Whether a sink with this filter takes a message; null where it takes every one. */
export function taking(where: Where | undefined): ((message: Message) => boolean) | null {
  if (!where || Object.values(where).every((words) => words === undefined)) return null
  const { provider, source, kind, conversation } = where
  return (message) =>
    (!provider || provider.includes(message.provider)) &&
    (!source || source.includes(message.source)) &&
    (!kind || kind.includes(message.kind)) &&
    (!conversation || conversation.some((wanted) => isIn(message, wanted)))
}

const isIn = ({ conversation: { kind, id } }: Message, wanted: string): boolean =>
  kinds.includes(wanted) ? kind === wanted : id === wanted
