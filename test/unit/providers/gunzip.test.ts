import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { gunzip } from '../../../src/providers/gunzip.ts'

/** What was inflated, and the fault at its end. */
async function inflated(file: Buffer, chunkBytes = file.length) {
  const chunks: Buffer[] = []
  for (let at = 0; at < file.length; at += chunkBytes) chunks.push(file.subarray(at, at + chunkBytes))
  const text: Buffer[] = []
  let fault = ''
  try {
    for await (const bytes of gunzip(Readable.from(chunks))) text.push(bytes)
  } catch (error) {
    fault = (error as Error).message
  }
  return { text: Buffer.concat(text), fault }
}

test('any members, padded or not, cut into any chunks, give their text', async () => {
  const member = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes))
  const property = fc.asyncProperty(
    fc.array(member, { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 700 }),
    fc.integer({ min: 0, max: 600 }),
    async (texts, chunkBytes, padding) => {
      const file = Buffer.concat([...texts.map((text) => gzipSync(text)), Buffer.alloc(padding)])
      const { text, fault } = await inflated(file, chunkBytes)
      assert.equal(fault, '')
      assert.deepEqual(text, Buffer.concat(texts))
    },
  )
  await fc.assert(property, { numRuns: 60 })
})

test('a text a thousand times the size of its gz comes in pieces', async () => {
  const pieces: number[] = []
  for await (const bytes of gunzip(Readable.from([gzipSync(Buffer.alloc(20_000_000))])))
    pieces.push(bytes.length)
  assert.equal(
    pieces.reduce((sum, next) => sum + next),
    20_000_000,
  )
  assert.ok(Math.max(...pieces) <= 262_144)
})

test('names, comments, extra fields and a header checksum are skipped', async () => {
  const text = Buffer.from('hello')
  const header = Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16 | 2, 0, 0, 0, 0, 0, 3])
  const fields = Buffer.concat([
    Buffer.from([3, 0]),
    Buffer.from('abc'),
    Buffer.from('name\0comment\0'),
    Buffer.alloc(2),
  ])
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(text), 0)
  trailer.writeUInt32LE(text.length, 4)
  const file = Buffer.concat([header, fields, deflateRawSync(text), trailer])
  assert.deepEqual(await inflated(file, 1), { text, fault: '' })
})

test('whatever stands behind a good member, its text is handed out first', async () => {
  const text = Buffer.from('one line\n'.repeat(500))
  const gz = gzipSync(text)
  const wrong = Buffer.from(gz)
  wrong[wrong.length - 8]! ^= 1
  const files: [Buffer, RegExp][] = [
    [Buffer.concat([gz, Buffer.from('j')]), /end of gz/],
    [Buffer.concat([gz, Buffer.from('junk, and more of it')]), /junk/],
    [Buffer.concat([gz, Buffer.alloc(5), Buffer.from('junk, and more of it')]), /junk/],
    [Buffer.concat([gz, gz.subarray(0, 5)]), /end of gz/],
    [gz.subarray(0, -8), /end of gz/],
    [gz.subarray(0, -1), /end of gz/],
    [wrong, /checksum/],
  ]
  for (const [file, expected] of files) {
    for (const chunkBytes of [1, file.length]) {
      const found = await inflated(file, chunkBytes)
      assert.deepEqual(found.text, text)
      assert.match(found.fault, expected)
    }
  }
})

test('nothing but gz is a fault', async () => {
  for (const file of [
    Buffer.alloc(0),
    Buffer.from('{"a":1} and so on'),
    gzipSync('x').subarray(0, 6),
    Buffer.from([0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]) {
    const { text, fault } = await inflated(file)
    assert.equal(text.length, 0)
    assert.notEqual(fault, '')
  }
  const broken = gzipSync(Buffer.from('some text that does not repeat itself: 8fj3kd0sl2')).fill(0xff, 12, 30)
  assert.notEqual((await inflated(broken)).fault, '')
})

test('the file is let go, whether it is read to the end or not', async () => {
  const parts = () => Readable.from([gzipSync('a'), gzipSync('b'), Buffer.from('junk, and more of it')])
  const left = parts()
  const iterator = gunzip(left)
  await iterator.next()
  await iterator.return(undefined)
  assert.ok(left.destroyed)
  const broken = parts()
  await assert.rejects(async () => {
    for await (const bytes of gunzip(broken)) assert.equal(bytes.length, 1)
  })
  assert.ok(broken.destroyed)
})
