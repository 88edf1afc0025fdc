import { createHash } from 'node:crypto'
import { addAbortSignal, type Readable } from 'node:stream'
import { eachRecord } from '../lines.ts'
import type { Identity, Publish, SavedFileReading } from '../provider.ts'
import { endOfValue, skipSpace } from '../slices.ts'
import { damagedFile, FileText } from './file-text.ts'
import { asObject, identify, readRecord } from './records.ts'

const openBrace = 0x7b

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
   * Reads one file to its end, gz or plain by its bytes, and destroys the stream. Throws ChatfeedError `damaged_file`
   * for one that is empty, cut short, wrongly encoded, a web page, or without a single message: what could be read of
   * it is published, but the hour is not complete. Throws what `publish` rejects with, and `stopped` once the signal
   * has aborted.
   */
  async read(file: Readable): Promise<void> {
    addAbortSignal(this.#signal, file)
    const text = new FileText(file, this.#signal)
    const linesBefore = this.#lines
    let hasMessage = false
    // A record that is no message waits for what follows: the last one may be half a record, or the only one an error.
    let doubtful: Buffer | undefined
    await eachRecord(text, (payload) => {
      const before = doubtful
      const identity = identify(payload)
      if (identity.messageId === null) {
        hasMessage ||= hasContent(payload)
        doubtful = payload
        return before && this.#take(before)
      }
      hasMessage = true
      doubtful = undefined
      const room = before && this.#take(before)
      return room ? room.then(() => this.#take(payload, identity)) : this.#take(payload, identity)
    })
    if (doubtful && isCut(doubtful) && (text.fault !== null || text.mayBeCut)) {
      throw text.fault ?? damagedFile('was cut short')
    }
    if (doubtful && (hasMessage || this.#lines > linesBefore)) await this.#take(doubtful)
    if (text.fault) throw text.fault
    if (!hasMessage && (doubtful || this.#lines > linesBefore)) throw damagedFile('holds no message')
  }

  /** What was read, once: the digest is SHA-256 over the bytes of all records in order. */
  finish(): SavedFileReading {
    return { lines: this.#lines, bytes: this.#bytes, digest: this.#digest.digest('hex') }
  }

  #take(payload: Buffer, identity: Identity = identify(payload)): Promise<void> | undefined {
    this.#lines++
    this.#bytes += payload.length
    this.#digest.update(payload)
    return this.#publish({ ...identity, position: this.#lines, payload })
  }
}

/** Whether a record without an id is a message all the same; an error in JSON is none. */
function hasContent(payload: Buffer): boolean {
  return asObject(readRecord(payload)?.payload) !== undefined
}

/** The beginning of an object without its end. */
function isCut(payload: Buffer): boolean {
  const start = skipSpace(payload, 0)
  return payload[start] === openBrace && endOfValue(payload, start) < 0
}
