import { createHash } from 'node:crypto'
import { addAbortSignal, type Readable } from 'node:stream'
import { ChatfeedError } from '../../errors.ts'
import { inflate } from '../inflate.ts'
import type { Publish, SavedFileReading } from '../provider.ts'
import { orStopped, stopped } from '../stopped.ts'
import { identify } from './message/records.ts'
import { elementsOf, endOfValue, membersOf, skipSpace } from '../slices.ts'

/** A saved page of 1000 messages is a few megabytes; a value beyond this is no page and no message. */
const maxValueBytes = 64 * 1024 * 1024

/**
 * Reads a saved file, gz or plain, of response pages, of items, or of arrays of either, one after another or one
 * a line, in memory for one page or item at a time. What is no message is handed on too, to end in `dead`. Throws
 * ChatfeedError `fatal` (`file_truncated`, `file_damaged`, `value_too_large`) when the rest of the file cannot
 * be read; the records before it are published. An item that lacks its status counts as passed: a saved page
 * does not tell what was asked for. Throws `stopped` once the signal has aborted.
 */
export async function readSaved(
  file: Readable,
  publish: Publish,
  signal: AbortSignal,
): Promise<SavedFileReading> {
  const digest = createHash('sha256')
  let lines = 0
  let bytes = 0
  for await (const value of valuesIn(textOf(file, signal))) {
    for (const payload of itemsIn(value)) {
      if (signal.aborted) throw stopped(signal.reason)
      const identity = identify(payload)
      lines++
      bytes += payload.length
      digest.update(`${identity.messageId ?? ''} ${identity.fingerprint.toString('base64')}\n`)
      const waiting = publish({ ...identity, position: lines, payload })
      if (waiting) await orStopped(waiting, signal)
    }
  }
  return { lines, bytes, digest: digest.digest('hex') }
}

/** The file's text, gz or plain. */
async function* textOf(file: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  addAbortSignal(signal, file)
  let isGzip = false
  try {
    const inflated = await inflate(file)
    isGzip = inflated.isGzip
    yield* inflated.text
  } catch (cause) {
    if (signal.aborted) throw stopped(cause)
    if (!isGzip) throw cause
    throw new ChatfeedError('fatal', 'file_damaged', 'The gz file is damaged or incomplete.', { cause })
  }
}

/** The values of a file: objects one after another, with or without an array around them. Broken lines count as values. */
async function* valuesIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const splitter = new Splitter()
  for await (const chunk of chunks) yield* splitter.push(chunk)
  yield* splitter.end()
}

class Splitter {
  #chunks: Buffer[] = []
  #bytes = 0
  /** A value that did not fit is looked at again once twice as much has come, so that no size costs quadratic time. */
  #enough = 0
  #inArray = false

  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    return this.#bytes < this.#enough ? [] : this.#take(false)
  }

  end(): Buffer[] {
    const values = this.#take(true)
    if (this.#bytes === 0) return values
    throw new ChatfeedError('fatal', 'file_truncated', 'The file ends in the middle of a message or page.', {
      mend: 'Save it again; what came before is imported.',
    })
  }

  #take(isLast: boolean): Buffer[] {
    const bytes = Buffer.concat(this.#chunks)
    const values: Buffer[] = []
    let at = skipSpace(bytes, 0)
    for (; at < bytes.length; at = skipSpace(bytes, at)) {
      const char = String.fromCharCode(bytes[at]!)
      if (this.#inArray ? char === ',' || char === ']' : char === '[') {
        if (char !== ',') this.#inArray = char === '['
        at++
        continue
      }
      const end = this.#inArray || char === '{' ? endOfValue(bytes, at) : endOfLine(bytes, at)
      if (end < 0 || (end === bytes.length && !isLast && char !== '{')) break
      values.push(bytes.subarray(at, end))
      at = end
    }
    const rest = bytes.subarray(at)
    if (rest.length > maxValueBytes) {
      throw new ChatfeedError(
        'fatal',
        'value_too_large',
        `The file holds a value beyond ${maxValueBytes} bytes.`,
      )
    }
    this.#chunks = [rest]
    this.#bytes = rest.length
    this.#enough = 2 * rest.length
    return values
  }
}

function endOfLine(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(0x0a, at)
  return end < 0 ? bytes.length : end
}

/** The items of a response page of any endpoint, with or without its frame; otherwise the value itself. */
function itemsIn(value: Buffer): Buffer[] {
  const members = membersOf(value)
  if (!members || members.has('id')) return [value]
  const data = members.get('data')
  const lists = data?.[0] === 0x7b ? membersOf(data) : members
  const list = [data, lists?.get('list'), lists?.get('contents')].find((slice) => slice?.[0] === 0x5b)
  return (list && elementsOf(list)) ?? [value]
}
