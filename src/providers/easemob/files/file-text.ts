import type { Readable } from 'node:stream'
import { ChatfeedError } from '../../../errors.ts'
import { inflate } from '../../inflate.ts'
import { stopped } from '../../stopped.ts'
import { isGbk } from './charset.ts'

/** A transport that compresses once more leaves gz within gz. */
const mostLayers = 3
/** So much of a text tells its encoding. */
const startBytes = 65_536
const newline = 0x0a

/**
 * The text of a history file, gz or plain by its bytes. Iterating it ends where the file is damaged, once everything
 * before the damage is handed out, and `fault` tells why. It throws nothing but `stopped`, and destroys the file.
 */
export class FileText implements AsyncIterable<Buffer> {
  readonly #file: Readable
  readonly #signal: AbortSignal
  #isGzip = false
  #lastByte: number | undefined
  #fault: ChatfeedError | null = null

  constructor(file: Readable, signal: AbortSignal) {
    this.#file = file
    this.#signal = signal
  }

  /** Null while nothing is wrong with the file. */
  get fault(): ChatfeedError | null {
    return this.#fault
  }

  /** gz tells its own end; plain text without a last newline does not. */
  get mayBeCut(): boolean {
    return !this.#isGzip && this.#lastByte !== newline
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of withStart(await this.#inflated())) {
        this.#lastByte = chunk.at(-1)
        yield chunk
      }
    } catch (cause) {
      if (this.#signal.aborted) throw stopped(cause)
      this.#fault = cause instanceof ChatfeedError ? cause : damagedFile('is damaged or was cut short', cause)
    } finally {
      this.#file.destroy()
    }
  }

  async #inflated(): Promise<AsyncIterable<Buffer>> {
    let layer = await inflate(this.#file)
    if (layer.head.length === 0) throw damagedFile('is empty')
    this.#isGzip = layer.isGzip
    for (let layers = 1; layer.isGzip && layers < mostLayers; layers++) layer = await inflate(layer.text)
    return layer.text
  }
}

/** ChatfeedError `damaged_file`; `what` follows "The history file". */
export function damagedFile(what: string, cause?: unknown): ChatfeedError {
  return new ChatfeedError('fatal', 'damaged_file', `The history file ${what}.`, { cause })
}

/**
 * The same text, unless it is in GBK: then nothing of it, but `damaged_file`. Its first line tells that it is not, else
 * as much as can be had up to `startBytes`: one damaged line must not speak for the others.
 */
async function* withStart(text: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer | null = Buffer.alloc(0)
  const judged = (): Buffer => {
    const whole = start!
    start = null
    if (isGbk(whole)) throw damagedFile('is in GBK, not UTF-8')
    return whole
  }
  try {
    for await (const chunk of text) {
      if (start === null) {
        yield chunk
        continue
      }
      start = Buffer.concat([start, chunk])
      if (start.length >= startBytes || (start.includes(newline) && !isGbk(start))) yield judged()
    }
  } catch (error) {
    if (start !== null) yield judged()
    throw error
  }
  if (start !== null) yield judged()
}
