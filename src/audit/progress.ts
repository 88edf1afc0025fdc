import { ChatfeedError } from '../errors.ts'

/** What an audit is doing; `total` is 0 where nobody knows. */
export interface AuditProgress {
  step: string
  done: number
  total: number
}

/** Throws ChatfeedError `stopped` once the signal has aborted: half an audit says nothing. */
export function refuseHalf(signal: AbortSignal): void {
  if (signal.aborted) throw new ChatfeedError('transient', 'stopped', 'The audit was stopped.')
}
