/**
 * The outcome of a call, or undefined as soon as `signal` aborts: what the call comes to later is then nobody's
 * business. Leaves no listener behind.
 */
export async function unlessAborted<T>(
  call: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (!signal) return call
  let onAbort = () => {}
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => {
      resolve(undefined)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
  try {
    return await Promise.race([call, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
