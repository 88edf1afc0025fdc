import type { Readable } from 'node:stream'
import { ChatfeedError } from '../../errors.ts'
import { inflate } from '../inflate.ts'
import { stopped } from '../stopped.ts'
import { faultOfText } from './encoding.ts'

/** A text without newlines is looked at when so much of it has come. */
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
      for await (const chunk of this.#decoded()) {
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

  async *#decoded(): AsyncGenerator<Buffer> {
    const outer = await inflate(this.#file)
    if (outer.head.length === 0) throw damagedFile('is empty')
    this.#isGzip = outer.isGzip
    // A transport that compresses once more leaves gz within gz.
    const { text } = outer.isGzip ? await inflate(outer.text) : outer
    let isStart = true
    for await (const chunk of withStart(text)) {
      const fault = isStart ? faultOfText(chunk) : null
      if (fault !== null) throw damagedFile(fault)
      isStart = false
      yield chunk
    }
  }
}

/** ChatfeedError `damaged_file`; `what` follows "The history file". */
export function damagedFile(what: string, cause?: unknown): ChatfeedError {
  return new ChatfeedError('fatal', 'damaged_file', `The history file ${what}.`, { cause })
}

/** The same text with its start in one piece: a line or `startBytes` at least, unless it ends or breaks before. */
async function* withStart(text: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer[] | null = []
  let length = 0
  try {
    for await (const chunk of text) {
      length += chunk.length
      start?.push(chunk)
      if (start && length < startBytes && !chunk.includes(newline)) continue
      const whole = start ? Buffer.concat(start) : chunk
      start = null
      yield whole
    }
  } catch (error) {
    if (start) yield Buffer.concat(start)
    throw error
  }
  if (start) yield Buffer.concat(start)
}
