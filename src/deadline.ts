/**
 * Runs `work` with a signal that aborts with `signal`, or after `ms` with a TimeoutError. Not by `AbortSignal.any` and
 * `AbortSignal.timeout`: such a pair is forgotten when memory is cleaned up while nothing else holds it, and never
 * fires (measured with Node 20.20).
 */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController()
  const onAbort = () => {
    ending.abort(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const timer = setTimeout(() => {
    ending.abort(new DOMException(`not within ${ms} ms`, 'TimeoutError'))
  }, ms)
  try {
    return await work(ending.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
