import { z } from 'zod'
import { readJson, type Tried, triedSchema } from './tried.ts'

/** A message whose attachments are to be asked for again: the value of `attachments`, as JSON text. */
export interface PendingFiles extends Tried {
  /** Where its newest revision lies in the same partition of `unique`. */
  offset: number
  nextTryAt: number
}

/** A value of `attachments`; null for what is none: such a message is not tried again. */
export function pendingIn(value: Buffer): PendingFiles | null {
  return readJson(pendingSchema, value)
}

/** Whether some of it may go better later. */
export function isUnfinished({ outcomes }: Tried): boolean {
  return Object.values(outcomes).some(({ retry }) => retry)
}

const pendingSchema = triedSchema.extend({ offset: z.number(), nextTryAt: z.number() })
