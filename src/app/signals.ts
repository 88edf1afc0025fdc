/** `timeout` and `npm start` hand one signal on twice; nobody presses Ctrl-C again so soon. */
const echoMs = 500

/**
 * A signal that aborts at the first SIGINT, SIGTERM or SIGHUP, or when nobody reads the output any more, so that
 * the command can finish what is under way. A second one ends the process at once: nothing is lost by it, the
 * next start goes on from the last commit.
 */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController()
  let stoppedAt = 0
  const onSignal = () => {
    if (!stopping.signal.aborted) stoppedAt = performance.now()
    else if (performance.now() - stoppedAt > echoMs) process.exit(130)
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
