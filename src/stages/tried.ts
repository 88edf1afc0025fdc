import { hash } from 'node:crypto'
import { z } from 'zod'
import { type Outcome, withOutcome } from '../attachments/outcome.ts'
import type { RecordHeader } from '../kafka/record-batch.ts'
import type { RecordView } from '../kafka/record-set.ts'
import type { Attachment, Message } from '../model.ts'

/** Goes with a record from `raw.*` to enrich: what became of its attachments, so that nobody asks again. */
export const filesHeaderName = 'chatfeed.attachments'

const outcome = z.object({
  state: z.enum(['available', 'gone', 'forbidden', 'failed', 'archived']),
  reason: z.string().nullable(),
  retry: z.boolean(),
  size: z.number().exactOptional(),
  mimeType: z.string().exactOptional(),
  resolvedUrl: z.string().exactOptional(),
  sha256: z.string().exactOptional(),
  archiveKey: z.string().exactOptional(),
})

/** What became of a message's attachments, and how often they were asked for. Times are epoch milliseconds. */
export const triedSchema = z.object({
  attempts: z.number(),
  firstTriedAt: z.number(),
  /** By `fileRef`. */
  outcomes: z.record(z.string(), outcome),
})
/** See `triedSchema`. */
export interface Tried {
  attempts: number
  firstTriedAt: number
  outcomes: Record<string, Outcome>
}

/** Names an attachment within its message without showing its link. */
export function fileRef({ role, url }: Attachment): string {
  return hash('sha256', `${role} ${url}`, 'hex').slice(0, 16)
}

/** The header that carries what became of a message's attachments. */
export function filesHeader(value: Tried): RecordHeader {
  return { key: filesHeaderName, value: Buffer.from(JSON.stringify(value)) }
}

/** What the headers of a record say of its attachments; null where they say nothing. */
export function triedIn(record: RecordView): Tried | null {
  // The count of headers: all that a record pays that has none.
  if (record.buffer[record.headersAt] === 0) return null
  const text = record.headers().get(filesHeaderName)
  return text ? readJson(triedSchema, text) : null
}

/** The attachments of a message with what became of them. */
export function applied({ attachments }: Message, { outcomes }: Tried): Attachment[] {
  return attachments.map((attachment) => {
    const outcome = outcomes[fileRef(attachment)]
    return outcome ? withOutcome(attachment, outcome) : attachment
  })
}

/** JSON of a shape; null for anything else. */
export function readJson<T>(schema: z.ZodType<T>, text: Buffer): T | null {
  try {
    return schema.parse(JSON.parse(text.toString()))
  } catch {
    return null // written by someone else
  }
}
