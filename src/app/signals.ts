/**
 * A signal that aborts at the first SIGINT, SIGTERM or SIGHUP, or when nobody reads the output any more, so that
 * the command can finish what is under way. A second one ends the process at once: nothing is lost by it, the
 * next start goes on from the last commit.
 */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController()
  const onSignal = () => {
    if (stopping.signal.aborted) process.exit(130)
    stopping.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal) // the terminal was closed
  process.stdout.on('error', () => {
    stopping.abort()
  })
  return stopping.signal
}

/** Resolves when `signal` aborts. */
export function whenStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve()
        },
        { once: true },
      )
  })
}
