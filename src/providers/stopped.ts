import { ChatfeedError } from '../errors.ts'

/** What a reading ends with when its signal aborts. */
export function stopped(cause: unknown): ChatfeedError {
  return new ChatfeedError('transient', 'stopped', 'The reading was stopped.', { cause })
}
