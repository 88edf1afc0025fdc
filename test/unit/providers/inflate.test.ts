import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { inflate } from '../../../src/providers/inflate.ts'

/** Reads a file whose first chunk is so long. */
async function inflated(bytes: Buffer, firstBytes: number) {
  const file = Readable.from([bytes.subarray(0, firstBytes), bytes.subarray(firstBytes)])
  const { isGzip, text } = await inflate(file)
  return { isGzip, text: (await buffer(text)).toString() }
}

test('gz is told by its first two bytes, however they arrive', async () => {
  const plain = Buffer.from('{"id":"a"}\n')
  for (const firstBytes of [0, 1, 2, 5]) {
    assert.deepEqual(await inflated(gzipSync(plain), firstBytes), { isGzip: true, text: plain.toString() })
    assert.deepEqual(await inflated(plain, firstBytes), { isGzip: false, text: plain.toString() })
  }
})

test('a file of no byte and of one has what there is', async () => {
  const { head, isGzip } = await inflate(Readable.from([]))
  assert.deepEqual([head.length, isGzip], [0, false])
  assert.deepEqual(await inflated(Buffer.from([0x1f]), 1), { isGzip: false, text: '\u001f' })
})

test('a fault of the file and of the gz surfaces where the text is read', async () => {
  await assert.rejects(inflated(gzipSync('cut short').subarray(0, -4), 1), /unexpected end of gz/)
  async function* broken() {
    yield gzipSync('x').subarray(0, 12)
    await Promise.resolve()
    throw new Error('the disk is gone')
  }
  const { text } = await inflate(Readable.from(broken()))
  await assert.rejects(buffer(text), /the disk is gone/)
})
