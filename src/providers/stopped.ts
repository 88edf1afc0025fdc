import { ChatfeedError } from '../errors.ts'

/** What a reading ends with when its signal aborts. */
export function stopped(cause: unknown): ChatfeedError {
  return new ChatfeedError('transient', 'stopped', 'The reading was stopped.', { cause })
}

/** The outcome of `waiting`; rejects with `stopped` as soon as the signal aborts. */
export function orStopped<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(stopped(signal.reason))
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    waiting.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  })
}
