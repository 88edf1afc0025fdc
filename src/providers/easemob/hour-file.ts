import { createHash } from 'node:crypto'
import { addAbortSignal, pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ChatfeedError } from '../../errors.ts'
import { eachRecord } from '../lines.ts'
import type { Publish, SavedFileReading } from '../provider.ts'
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
   * hour is not complete. Throws what `publish` rejects with, and the reason of the signal.
   */
  async read(file: Readable): Promise<void> {
    addAbortSignal(this.#signal, file)
    await eachRecord(inflated(file, this.#signal), (payload) => {
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

/**
 * The file's text. Its first bytes alone tell whether it is gz: the declared encoding of a download may be that of
 * the stored object or of the transport. All members are inflated, zero padding is ignored.
 */
async function* inflated(file: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    const [head, whole] = await peek(file)
    if (head.length === 0) throw damaged('is empty')
    if (head.toString('latin1').trimStart().startsWith('<')) throw damaged('is a web page or an error in XML')
    const isGzip = head[0] === 0x1f && head[1] === 0x8b
    // A pipeline's error, of either end, surfaces where it is iterated.
    yield* isGzip ? pipeline(whole, createGunzip({ chunkSize: 65_536 }), () => undefined) : whole
  } catch (cause) {
    signal.throwIfAborted()
    throw cause instanceof ChatfeedError ? cause : damaged('is damaged or was cut short', cause)
  } finally {
    file.destroy()
  }
}

/** The first chunk, of two bytes at least unless the file ends before, and the whole file with it. */
async function peek(file: AsyncIterable<Buffer>): Promise<[head: Buffer, whole: AsyncGenerator<Buffer>]> {
  const chunks = file[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  while (head.length < 2) {
    const next = await chunks.next()
    if (next.done === true) break
    head = Buffer.concat([head, next.value])
  }
  async function* whole(): AsyncGenerator<Buffer> {
    yield head
    yield* { [Symbol.asyncIterator]: () => chunks }
  }
  return [head, whole()]
}

function damaged(what: string, cause?: unknown): ChatfeedError {
  return new ChatfeedError('fatal', 'damaged_file', `The history file ${what}.`, { cause })
}
