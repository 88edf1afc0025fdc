import type { Attachment } from '../model.ts'

/** What came of asking for one attachment: what the message says of it then. */
export interface Outcome {
  state: Exclude<Attachment['state'], 'linked'>
  /** Why it is no better, as a stable word; null for a file that is there. */
  reason: string | null
  /** Only for `failed`: it may go better later. */
  retry: boolean
  /** What was learnt; absent where the message's own word stays. */
  size?: number
  mimeType?: string
  resolvedUrl?: string
  sha256?: string
  archiveKey?: string
}

/** It can go better later: what was asked did not answer, or not as a file does. */
export const failed = (reason: string): Outcome => ({ state: 'failed', reason, retry: true })
/** It will not go better by asking again. */
export const refused = (reason: string): Outcome => ({ state: 'failed', reason, retry: false })

/** The attachment as it is after it was asked for. */
export function withOutcome(attachment: Attachment, outcome: Outcome): Attachment {
  return {
    ...attachment,
    resolvedUrl: outcome.resolvedUrl ?? attachment.resolvedUrl,
    mimeType: outcome.mimeType ?? attachment.mimeType,
    size: outcome.size ?? attachment.size,
    state: outcome.state,
    sha256: outcome.sha256 ?? attachment.sha256,
    archiveKey: outcome.archiveKey ?? attachment.archiveKey,
  }
}
