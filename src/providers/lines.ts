import { Transform, type Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import split2 from 'split2'

/** An ordinary record has a few KiB, the longest known kind 128 KiB. */
const defaultMaxBytes = 4 * 1024 * 1024

const pieceBytes = 256 * 1024

const byteOrderMark = '\u00ef\u00bb\u00bf'
const seam = '}{'

/**
 * Parts a stream of newline-delimited JSON into records with their exact bytes, and hands them on in order. A
 * promise from `onRecord` holds back the next record until it resolves. Resolves when the last record is taken; rejects
 * with the stream's own error or what `onRecord` throws or rejects with, and the stream is then destroyed.
 *
 * - Dropped are a byte-order mark at the start of a line, the `\r` of CRLF, and blank lines. The last line needs
 *   no newline.
 * - Records on one line (`{…}{…}`, as joined gzip members leave them) are parted, but never inside a string or
 *   a nested value.
 * - Of a record longer than `maxBytes` about the first `maxBytes` are handed on and the rest is dropped: no line
 *   exhausts the memory, the damage stays visible, the neighbours survive.
 * - A line that is no JSON is handed on as it is. How the bytes are cut into chunks never matters.
 */
export async function eachRecord(
  input: Readable | AsyncIterable<Buffer>,
  onRecord: (record: Buffer) => Promise<void> | undefined,
  { maxBytes = defaultMaxBytes }: { maxBytes?: number } = {},
): Promise<void> {
  // Latin-1 text is the bytes, and split2's decoder hands text through unchanged: half the cost of UTF-8, and exact.
  const lines = split2('\n', { decodeStrings: false })
  const memory = new RecordMemory()
  const handOn = (records: readonly string[], from: number): Promise<void> | undefined => {
    for (let at = from; at < records.length; at++) {
      const room = onRecord(memory.bytesOf(records[at]!))
      if (room) return room.then(() => handOn(records, at + 1))
    }
    return undefined
  }
  const handOnLine = (line: string): Promise<void> | undefined =>
    isOneRecord(line) ? onRecord(memory.bytesOf(line)) : handOn(recordsOf(line), 0)
  let held: Promise<void> | undefined
  lines.on('data', (line: string) => {
    try {
      held = handOnLine(line)
      if (!held) return
      lines.pause()
      held.then(
        () => lines.resume(),
        (error: unknown) => lines.destroy(error as Error),
      )
    } catch (error) {
      lines.destroy(error as Error)
    }
  })
  await Promise.all([pipeline(input, boundLines(maxBytes), lines), finished(lines)])
  // A stream that is paused at its last line ends all the same.
  await held
}

/** Bytes as latin-1 text in which no line is longer than `maxBytes` and a chunk. */
function boundLines(maxBytes: number): Transform {
  let length = 0
  return new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, done) {
      const text = chunk.toString('latin1')
      const last = text.lastIndexOf('\n')
      const rest = last < 0 ? length + text.length : text.length - last - 1
      if (rest <= maxBytes && length + text.length <= maxBytes) {
        length = rest
        done(null, text)
        return
      }
      const kept: string[] = []
      for (const [index, piece] of text.split('\n').entries()) {
        if (index > 0) {
          kept.push('\n')
          length = 0
        }
        // Rather parted where records are joined, even if that were inside a string, than a record lost unseen.
        const joint = length + piece.length > maxBytes ? piece.lastIndexOf(seam) + 1 : 0
        if (joint > 0) {
          kept.push(length > maxBytes ? '' : piece.slice(0, joint), '\n')
          length = 0
        }
        kept.push(piece.slice(joint, joint + Math.max(0, maxBytes - length)))
        length += piece.length - joint
      }
      done(null, kept.join(''))
    },
  })
}

/** Most lines, told at a glance. */
function isOneRecord(line: string): boolean {
  return line.startsWith('{') && line.endsWith('}') && !line.includes(seam)
}

/** Memory for records, of which many lie in one piece: a tenth of the cost of a piece each. */
class RecordMemory {
  #piece = Buffer.alloc(0)
  #used = 0

  bytesOf(latin1: string): Buffer {
    const { length } = latin1
    if (this.#used + length > this.#piece.length) {
      this.#piece = Buffer.allocUnsafeSlow(Math.max(pieceBytes, length))
      this.#used = 0
    }
    const at = this.#used
    this.#used += this.#piece.write(latin1, at, 'latin1')
    return this.#piece.subarray(at, this.#used)
  }
}

/** The records on a line, without what is only dressing. */
function recordsOf(line: string): string[] {
  let text = line.endsWith('\r') ? line.slice(0, -1) : line
  while (text.startsWith(byteOrderMark)) text = text.slice(byteOrderMark.length)
  if (text.includes(seam)) return parted(text).filter((record) => !isBlank(record))
  return isBlank(text) ? [] : [text]
}

function parted(text: string): string[] {
  const records: string[] = []
  let start = 0
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (inString) {
      if (char === '\\') at++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{') depth++
    else if (char === '}' && --depth === 0 && text[at + 1] === '{') {
      records.push(text.slice(start, at + 1))
      start = at + 1
    }
  }
  return [...records, text.slice(start)]
}

const isBlank = (text: string): boolean => /^[ \t\r]*$/.test(text)
