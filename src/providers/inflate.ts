import type { Readable } from 'node:stream'
import { gunzip } from './gunzip.ts'

/** A file whose first bytes were looked at. */
export interface InflatedFile {
  /** The first bytes as they came, two at least unless the file is shorter. */
  head: Buffer
  isGzip: boolean
  /** The whole text. Iterating throws the error of the file or of the gz, after the text before it. */
  text: AsyncIterable<Buffer>
}

/**
 * Opens a file that is gz or plain. Its first bytes alone tell: a name or a declared encoding may be that of the
 * stored object or of the transport. All members are inflated, zero padding is ignored. Throws the file's error.
 */
export async function inflate(file: Readable | AsyncIterable<Buffer>): Promise<InflatedFile> {
  const chunks = file[Symbol.asyncIterator]() as AsyncIterator<Buffer>
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
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  return { head, isGzip, text: isGzip ? gunzip(whole()) : whole() }
}
