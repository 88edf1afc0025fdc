import type { Message } from '../../model.ts'
import type { Operation } from './bulk.ts'
import type { OpensearchConfig } from './config.ts'
import { toDocument } from './document.ts'
import { monthIndex } from './indices.ts'

/** The longest `_id` that the engines take, UTF-8 (facts: both answer 400 to the whole bulk request beyond it). */
const mostIdBytes = 512

/** Whether a message has an id that no cluster takes. */
export function isIdTooLong({ id }: Message): boolean {
  return id.length * 3 > mostIdBytes && Buffer.byteLength(id) > mostIdBytes
}

/** What is done with a message, and what is told of it. */
export interface MessageOperation extends Operation {
  fetchedAt: number
  /** Where its document lies, when it is not the alias. */
  index: string | undefined
}

/**
 * Stores a message, or deletes its document where it is deleted and such ones are not kept: with its revision as the
 * version in both cases, so that the highest one decides.
 */
export function toOperation(
  message: Message,
  { index: alias, perMonth, keepDeleted }: Pick<OpensearchConfig, 'index' | 'perMonth' | 'keepDeleted'>,
): MessageOperation {
  const { id, revision, fetchedAt } = message
  const index = perMonth ? monthIndex(alias, message.sentAt) : undefined
  const lines =
    message.status === 'deleted' && !keepDeleted
      ? deletion(id, revision, index)
      : `{"index":${target(id, revision, index)}}\n${toDocument(message)}\n`
  return { id, revision, fetchedAt, index, lines, bytes: Buffer.byteLength(lines) }
}

/** The line that deletes a document of a lower revision. */
export function deletion(id: string, revision: number, index: string | undefined): string {
  return `{"delete":${target(id, revision, index)}}\n`
}

function target(id: string, revision: number, index: string | undefined): string {
  const where = index === undefined ? '' : `"_index":"${index}",`
  return `{${where}"_id":${JSON.stringify(id)},"version":${revision},"version_type":"external"}`
}
