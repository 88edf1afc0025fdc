import { createHash } from 'node:crypto'
import { addAbortSignal, type Readable } from 'node:stream'
import { ChatfeedError } from '../../errors.ts'
import { inflate } from '../inflate.ts'
import { eachRecord } from '../lines.ts'
import type { Publish, SavedFileReading } from '../provider.ts'
import { stopped } from '../stopped.ts'
import { identify } from './records.ts'

/**
 * Publishes the records of one hour, from one file or several, and keeps count. Positions run from 1 through all
 * the files.
 */
export class HourReader {
  readonly #publish: Publish
  readonly #signal: AbortSignal
  readonly #digest = createHash('sha256')
  #lines = 0
  #bytes = 0

  constructor(publish: Publish, signal: AbortSignal) {
    this.#publish = publish
    this.#signal = signal
  }

  /**
   * Reads one file to its end, gz or plain by its first bytes, and destroys the stream. Throws ChatfeedError
   * `damaged_file` for one that is empty, cut short or a web page: its records so far are published, but the
   * hour is not complete. Throws what `publish` rejects with, and `stopped` once the
   * signal has aborted.
   */
  async read(file: Readable): Promise<void> {
    addAbortSignal(this.#signal, file)
    await eachRecord(textOf(file, this.#signal), (payload) => {
      this.#lines++
      this.#bytes += payload.length
      this.#digest.update(payload)
      return this.#publish({ ...identify(payload), position: this.#lines, payload })
    })
  }

  /** What was read, once: the digest is SHA-256 over the bytes of all records in order. */
  finish(): SavedFileReading {
    return { lines: this.#lines, bytes: this.#bytes, digest: this.#digest.digest('hex') }
  }
}

/** The file's text, gz or plain. */
async function* textOf(file: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    const { head, text } = await inflate(file)
    if (head.length === 0) throw damaged('is empty')
    if (head.toString('latin1').trimStart().startsWith('<')) throw damaged('is a web page or an error in XML')
    yield* text
  } catch (cause) {
    if (signal.aborted) throw stopped(cause)
    throw cause instanceof ChatfeedError ? cause : damaged('is damaged or was cut short', cause)
  } finally {
    file.destroy()
  }
}

function damaged(what: string, cause?: unknown): ChatfeedError {
  return new ChatfeedError('fatal', 'damaged_file', `The history file ${what}.`, { cause })
}
