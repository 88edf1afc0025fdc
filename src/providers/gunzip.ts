import { createInflateRaw } from 'node:zlib'
import { crc32 } from '@node-rs/crc32'

/** Compressed bytes given to zlib at a time. */
const sliceBytes = 65_536
const trailerBytes = 8

/**
 * Inflates every member of a gz file; zero padding behind the last is ignored. Throws an Error for what is cut short,
 * damaged or followed by junk, but only after everything before the damage has been handed out: zlib's own gunzip
 * swallows the end of a good member together with the junk behind it.
 */
export async function* gunzip(file: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new ByteReader(file)
  try {
    do {
      await skipHeader(input)
      yield* inflateMember(input)
      while ((await input.peek()) === 0) await input.take(1)
    } while ((await input.peek()) !== undefined)
  } finally {
    await input.close()
  }
}

async function* inflateMember(input: ByteReader): AsyncGenerator<Buffer> {
  const inflater = createInflateRaw({ chunkSize: 262_144 })
  // Wakes whoever waits: something can be read, a slice is used up, or the gz is damaged.
  let wake: () => void = () => {}
  let fault: Error | undefined
  let crc = 0
  let size = 0
  inflater.on('readable', () => {
    wake()
  })
  inflater.on('error', (error) => {
    fault = error
    wake()
  })
  try {
    for (let isEnd = false; !isEnd;) {
      const slice = await input.slice(sliceBytes)
      const before = inflater.bytesWritten
      let isUsedUp = false
      inflater.write(slice, () => {
        isUsedUp = true
        wake()
      })
      // Nothing more is inflated until what is there was taken, however much a slice grows.
      for (;;) {
        const bytes = inflater.read() as Buffer | null
        if (bytes !== null) {
          crc = crc32(bytes, crc)
          size = (size + bytes.length) >>> 0
          yield bytes
        } else if (fault) throw fault
        else if (isUsedUp) break
        else await new Promise<void>((resolve) => (wake = resolve))
      }
      const taken = inflater.bytesWritten - before
      isEnd = taken < slice.length
      if (isEnd) input.giveBack(slice.subarray(taken))
    }
  } finally {
    inflater.destroy()
  }
  const trailer = await input.take(trailerBytes)
  if (trailer.readUInt32LE(0) !== crc || trailer.readUInt32LE(4) !== size) throw new Error('gz checksum')
}

/** Magic, method, flags, time and system, then the parts that the flags announce. */
async function skipHeader(input: ByteReader): Promise<void> {
  const header = await input.take(10)
  const flags = header[3]!
  if (header.readUInt16BE(0) !== 0x1f8b || header[2] !== 8) throw new Error('junk where gz should begin')
  if (flags & 4) await input.take((await input.take(2)).readUInt16LE(0))
  for (const text of [8, 16]) {
    while (flags & text && (await input.take(1))[0] !== 0) continue
  }
  if (flags & 2) await input.take(2)
}

/** Reads a stream in pieces of a wanted size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** The next byte, left where it is; undefined at the end. */
  async peek(): Promise<number | undefined> {
    while (this.#rest.length === 0 && (await this.#more())) continue
    return this.#rest[0]
  }

  /** Exactly so many bytes. Throws when the stream ends before. */
  async take(length: number): Promise<Buffer> {
    while (this.#rest.length < length) if (!(await this.#more())) throw new Error('unexpected end of gz')
    return this.#cut(length)
  }

  /** One byte at least. Throws when the stream has ended. */
  async slice(most: number): Promise<Buffer> {
    if ((await this.peek()) === undefined) throw new Error('unexpected end of gz')
    return this.#cut(most)
  }

  giveBack(bytes: Buffer): void {
    this.#rest = Buffer.concat([bytes, this.#rest])
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  #cut(length: number): Buffer {
    const piece = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return piece
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done === true) return false
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
    return true
  }
}
