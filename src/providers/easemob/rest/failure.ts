import type { Reading } from '../../provider.ts'
import type { Verdict } from './verdicts.ts'

/** A reading that came to nothing now and may come to something later. */
export type Failure = Extract<Reading, { state: 'failed' }>

/** The hour was not read whole, and why. */
export function failed(reason: string, retryAfterMs?: number): Failure {
  return { state: 'failed', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

/** The same for a verdict that is not `ready`. */
export function failedBy({ reason, mend, retryAfterMs }: Verdict): Failure {
  return failed(mend === undefined ? reason : `${reason}. ${mend}`, retryAfterMs)
}
