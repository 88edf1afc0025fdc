import { createHash } from 'node:crypto'
import { addAbortSignal, type Readable } from 'node:stream'
import { eachRecord } from '../../lines.ts'
import type { Identity, Publish, SavedFileReading } from '../../provider.ts'
import { orStopped } from '../../stopped.ts'
import { endOfValue, skipSpace } from '../../slices.ts'
import { whatIs } from './charset.ts'
import { damagedFile, FileText } from './file-text.ts'
import { identify } from '../message/identity.ts'

const openBrace = 0x7b
/** A file that begins with more than this without a message holds none. */
const mostBefore = { records: 10_000, bytes: 16 * 1024 * 1024 }

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
   * for one that is empty, cut short or wrongly encoded – what could be read of it is published, but the hour is not
   * complete – and for one with records of which not one has an id: nothing of it is published. Throws what `publish`
   * rejects with, and `stopped` once the signal has aborted.
   */
  async read(file: Readable): Promise<void> {
    addAbortSignal(this.#signal, file)
    const text = new FileText(file, this.#signal)
    // What is no message waits: for the first message, without which the file is no history; then for what follows it,
    // for the last record can be half a message.
    const waiting: Buffer[] = []
    let waitingBytes = 0
    let hasMessage = false
    await eachRecord(text, (payload) => {
      const identity = identify(payload)
      if (identity.messageId !== null) {
        hasMessage = true
        return waiting.length === 0
          ? this.#take(payload, identity)
          : this.#takeEach([...waiting.splice(0), payload])
      }
      const ready = hasMessage ? waiting.splice(0) : []
      waiting.push(payload)
      waitingBytes += hasMessage ? 0 : payload.length
      if (waiting.length > mostBefore.records || waitingBytes > mostBefore.bytes)
        throw damagedFile(whatIs(waiting[0]!))
      return ready[0] && this.#take(ready[0])
    })
    const last = waiting.at(-1)
    const isHalf = last !== undefined && isCut(last) && (text.fault !== null || text.mayBeCut)
    const fault = text.fault ?? (isHalf ? damagedFile('was cut short') : null)
    if (!hasMessage && last) throw fault ?? damagedFile(whatIs(waiting[0]!))
    if (!isHalf) await this.#takeEach(waiting)
    if (fault) throw fault
  }

  /** What was read, once: the digest is SHA-256 over the bytes of all records in order. */
  finish(): SavedFileReading {
    return { lines: this.#lines, bytes: this.#bytes, digest: this.#digest.digest('hex') }
  }

  async #takeEach(payloads: readonly Buffer[]): Promise<void> {
    for (const payload of payloads) await this.#take(payload)
  }

  #take(
    payload: Buffer,
    { messageId, fingerprint, sentAt }: Identity = identify(payload),
  ): Promise<void> | undefined {
    this.#lines++
    this.#bytes += payload.length
    this.#digest.update(payload)
    const room = this.#publish({ messageId, fingerprint, sentAt, position: this.#lines, payload })
    return room && orStopped(room, this.#signal)
  }
}

/** The beginning of an object without its end. */
function isCut(payload: Buffer): boolean {
  const start = skipSpace(payload, 0)
  return payload[start] === openBrace && endOfValue(payload, start) < 0
}
