import { once } from 'node:events'
import type { Writable } from 'node:stream'

/**
 * Writes a line, and waits for room where the reader is slower. Resolves also when `signal` aborts meanwhile, which
 * stopSignal does when the reader has gone away. Rejects with the stream's error where `signal` has not aborted.
 */
export async function printLine(output: Writable, line: string, signal: AbortSignal): Promise<void> {
  if (output.write(`${line}\n`)) return
  try {
    await once(output, 'drain', { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
