import type { RecordHeader } from '../kafka/record-batch.ts'
import type { RecordView } from '../kafka/record-set.ts'

/** What can become of a letter. */
export type Outcome = 'replayed' | 'discarded'

/** What became of a letter. */
export interface Resolution {
  outcome: Outcome
  /** Epoch milliseconds. */
  at: number
  /** Why it was discarded, in the user's words; null for a replay. */
  reason: string | null
}

/**
 * The headers of the record that says what became of a letter: behind the letter in the same partition of `dead`,
 * under the same key and without a value, so that it lives as long as the letter and holds nothing of its text. They
 * are the letter's own, but for the envelope, and name its offset.
 */
export function resolutionHeaders(
  letter: ReadonlyMap<string, Buffer>,
  letterOffset: number,
  { outcome, at, reason }: Resolution,
): RecordHeader[] {
  const own = [...letter].filter(([key]) => key.startsWith('chatfeed.') && key !== 'chatfeed.envelope')
  const told = {
    'chatfeed.resolution': outcome,
    'chatfeed.resolution.offset': String(letterOffset),
    'chatfeed.resolution.at': String(at),
    ...(reason === null ? {} : { 'chatfeed.resolution.reason': reason }),
  }
  return [
    ...own.map(([key, value]) => ({ key, value })),
    ...Object.entries(told).map(([key, text]) => ({ key, value: Buffer.from(text) })),
  ]
}

/** What a record of `dead` says of the letter at `offset`; null for a letter. */
export function resolutionIn(record: RecordView): { offset: number; resolution: Resolution } | null {
  if (record.value()) return null
  const headers = record.headers()
  const text = (name: string) => headers.get(`chatfeed.resolution${name}`)?.toString()
  const outcome = text('')
  if (outcome !== 'replayed' && outcome !== 'discarded') return null
  return {
    offset: Number(text('.offset')),
    resolution: { outcome, at: Number(text('.at')), reason: text('.reason') ?? null },
  }
}
