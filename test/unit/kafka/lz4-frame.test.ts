import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import { compressFrame, decompressFrame } from '../../../src/kafka/lz4-frame.ts'

const lz4 = createRequire(import.meta.url)('lz4-napi') as {
  compressFrameSync(data: Buffer, options?: { contentChecksum?: boolean; blockChecksums?: boolean }): Buffer
  decompressFrameSync(data: Buffer): Buffer
}

const contents = fc
  .tuple(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 400 }), fc.boolean())
  .map(([bytes, times, noise]) =>
    Buffer.concat([
      ...Array.from({ length: times }, () => bytes),
      noise ? randomBytes(500) : Buffer.alloc(0),
    ]),
  )

test('a frame is read back, also by the reader of the library', () => {
  fc.assert(
    fc.property(contents, (content) => {
      const frame = compressFrame(content)
      assert.deepEqual(lz4.decompressFrameSync(frame), content)
      assert.deepEqual(decompressFrame(frame), content)
    }),
    { numRuns: 200 },
  )
})

test('contents around the bounds of a block, compressible or not, are read back', () => {
  for (const length of [1, 2 ** 16, 2 ** 16 + 1, 2 ** 18, 2 ** 20 + 1, 2 ** 22, 2 ** 22 + 1, 9_000_000]) {
    for (const content of [Buffer.alloc(length, 'ab'), randomBytes(length)]) {
      const frame = compressFrame(content)
      assert.ok(frame.length <= length + 64)
      assert.ok(lz4.decompressFrameSync(frame).equals(content), `${length} by the library`)
      assert.ok(decompressFrame(frame).equals(content), `${length} by us`)
    }
  }
})

test('frames of other writers are read: without a size, with checksums, of many blocks', () => {
  for (const length of [0, 1, 1_000, 5_000_000])
    for (const options of [{}, { contentChecksum: true }, { blockChecksums: true }]) {
      const content = Buffer.concat([
        randomBytes(length / 2),
        Buffer.alloc(length - Math.floor(length / 2), 'x'),
      ])
      assert.ok(decompressFrame(lz4.compressFrameSync(content, options)).equals(content))
    }
  // Two frames one after the other.
  const frame = compressFrame(Buffer.alloc(1_000, 'a'))
  const both = Buffer.concat([frame, frame])
  assert.deepEqual(decompressFrame(both), lz4.decompressFrameSync(both))
})

test('the head is that of the LZ4 frame format', () => {
  // What the reference tool writes: lz4 -B4 --content-size --no-frame-crc.
  const frame = compressFrame(Buffer.alloc(1_000, 'a'))
  assert.equal(frame.subarray(0, 15).toString('hex'), '04224d186840e803000000000000f1')
  assert.equal(frame.subarray(-4).toString('hex'), '00000000')
})

test('a damaged frame throws, whatever is damaged', () => {
  const content = Buffer.from('a line of chat, a line of chat, another line of chat\n'.repeat(50))
  const frame = compressFrame(content)
  for (let cut = 0; cut < frame.length - 4; cut += 3) {
    const kept = frame.subarray(0, cut)
    let outcome: Buffer | Error
    try {
      outcome = decompressFrame(kept)
    } catch (error) {
      outcome = error as Error
    }
    assert.ok(outcome instanceof Error || outcome.length === 0, `cut at ${cut}`)
  }
  const wrongSize = Buffer.from(frame)
  wrongSize.writeUInt32LE(content.length - 1, 6)
  assert.throws(() => decompressFrame(wrongSize))
})
