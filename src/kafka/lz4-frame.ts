import { createRequire } from 'node:module'

// The package's types declare a default export that its CommonJS module does not have.
const lz4 = createRequire(import.meta.url)('lz4-napi') as {
  compressSync(data: Buffer): Buffer
  uncompressSync(data: Buffer): Buffer
  compressFrameSync(data: Buffer): Buffer
  decompressFrameSync(data: Buffer): Buffer
}

/**
 * LZ4 frames of one block that state how large their content is. The library's own frames have no size, so that
 * inflating them grows a buffer again and again, which costs eight times as much as inflating the block.
 *
 *     magic 4 · flags 1 · block bound 1 · content size 8 · checksum of the last three 1 · block size 4 · block · end 4
 */
const magic = 0x184d_2204
/** Version 1, independent blocks, content size; no checksums and no dictionary. */
const flags = 0x68
const blockAt = 19
/** The bounds that a frame can declare for its blocks, by their code. */
const blockBounds = [
  [4, 64 << 10],
  [5, 256 << 10],
  [6, 1 << 20],
  [7, 4 << 20],
] as const
const largestBlock = 4 << 20
/** In the block size: the block is not compressed. */
const stored = 0x8000_0000

/** Deflates into a frame that every LZ4 reader understands. */
export function compressFrame(content: Buffer): Buffer {
  const bound = blockBounds.find(([, bytes]) => content.length <= bytes)
  if (!bound || content.length === 0) return lz4.compressFrameSync(content)
  const block = lz4.compressSync(content).subarray(4) // behind its size
  const isSmaller = block.length < content.length
  const body = isSmaller ? block : content
  const frame = Buffer.allocUnsafe(blockAt + body.length + 4)
  frame.writeUInt32LE(magic, 0)
  frame[4] = flags
  frame[5] = bound[0] << 4
  frame.writeUInt32LE(content.length, 6)
  frame.writeUInt32LE(0, 10)
  frame[14] = headerChecksum(frame)
  frame.writeUInt32LE(isSmaller ? body.length : body.length + stored, 15)
  body.copy(frame, blockAt)
  frame.writeUInt32LE(0, blockAt + body.length)
  return frame
}

/** Inflates any LZ4 frame; one of `compressFrame` quickly. Throws on a damaged one. */
export function decompressFrame(frame: Buffer): Buffer {
  return inflateBlock(frame) ?? lz4.decompressFrameSync(frame)
}

let scratch = Buffer.allocUnsafe(0)

/** Undefined for a frame of another shape. */
function inflateBlock(frame: Buffer): Buffer | undefined {
  if (frame.length < blockAt + 4 || frame.readUInt32LE(0) !== magic || frame[4] !== flags) return undefined
  const contentSize = frame.readUInt32LE(6)
  const blockSize = frame.readUInt32LE(15)
  if (frame.readUInt32LE(10) !== 0 || contentSize > largestBlock) return undefined
  if (blockSize !== frame.length - blockAt - 4 || frame.readUInt32LE(blockAt + blockSize) !== 0)
    return undefined
  // The library wants the size of the content before the block.
  if (scratch.length < blockSize + 4) scratch = Buffer.allocUnsafe(2 * (blockSize + 4))
  scratch.writeUInt32LE(contentSize, 0)
  frame.copy(scratch, 4, blockAt, blockAt + blockSize)
  const content = lz4.uncompressSync(scratch.subarray(0, 4 + blockSize))
  return content.length === contentSize ? content : undefined
}

const primes = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1] as const

/** The second byte of xxHash-32 of the ten bytes from the flags on. */
function headerChecksum(frame: Buffer): number {
  const start = 4
  const end = 14
  let hash = primes[4] + (end - start)
  let at = start
  for (; at + 4 <= end; at += 4)
    hash = mix(hash + Math.imul(frame.readUInt32LE(at), primes[2]), 17, primes[3])
  for (; at < end; at++) hash = mix(hash + Math.imul(frame[at]!, primes[4]), 11, primes[0])
  hash = Math.imul(hash ^ (hash >>> 15), primes[1])
  hash = Math.imul(hash ^ (hash >>> 13), primes[2])
  return ((hash ^ (hash >>> 16)) >>> 8) & 0xff
}

function mix(hash: number, rotation: number, factor: number): number {
  return Math.imul((hash << rotation) | (hash >>> (32 - rotation)), factor)
}
