import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ChatfeedError } from '../../../../../src/errors.ts'
import { easemob } from '../../../../../src/providers/easemob/index.ts'
import type { Publish, RawRecord } from '../../../../../src/providers/provider.ts'

const line = (id: number) => `{"msg_id":"${id}","timestamp":1526801073356,"payload":{"bodies":[]}}`
const never = new AbortController().signal

async function readSaved(file: Buffer | Readable) {
  const records: RawRecord[] = []
  const keep: Publish = (record) => {
    records.push(record)
    return undefined
  }
  const stream = file instanceof Readable ? file : Readable.from([file])
  return { reading: await easemob.readSaved(stream, keep, never), records }
}

const isDamaged = (error: unknown) => error instanceof ChatfeedError && error.code === 'damaged_file'

test('plain and gz, by one chunk or byte by byte, give the same records', async () => {
  const text = Buffer.from(`${line(1)}\n${line(2)}\n${line(1)}`)
  const bytewise = (bytes: Buffer) => Readable.from(Array.from(bytes, (byte) => Buffer.from([byte])))
  const plain = await readSaved(text)
  assert.deepEqual(plain.reading, {
    lines: 3,
    bytes: text.length - 2,
    digest: createHash('sha256').update(line(1)).update(line(2)).update(line(1)).digest('hex'),
  })
  assert.deepEqual(
    plain.records.map(({ position, messageId, payload }) => [position, messageId, payload.toString()]),
    [
      [1, '1', line(1)],
      [2, '2', line(2)],
      [3, '1', line(1)],
    ],
  )
  for (const file of [gzipSync(text), bytewise(text), bytewise(gzipSync(text))]) {
    assert.deepEqual((await readSaved(file)).reading, plain.reading)
  }
})

test('many members, without a newline between and with zero padding after, are one file', async () => {
  const members = [1, 2, 3].map((id) => gzipSync(line(id)))
  const { reading, records } = await readSaved(Buffer.concat([...members, gzipSync(''), Buffer.alloc(512)]))
  assert.equal(reading.lines, 3)
  assert.deepEqual(
    records.map(({ messageId }) => messageId),
    ['1', '2', '3'],
  )
})

test('a line that is no message is a record without id, its neighbours are untouched', async () => {
  const bytes = Buffer.concat([
    Buffer.from(`${line(1)}\n`),
    Buffer.from([0xff, 0xfe, 0x00]),
    Buffer.from(`\n${line(2)}`),
  ])
  const { records } = await readSaved(gzipSync(bytes))
  assert.deepEqual(
    records.map(({ messageId }) => messageId),
    ['1', null, '2'],
  )
  assert.deepEqual(records[1]?.payload, Buffer.from([0xff, 0xfe, 0x00]))
})

test('gz of nothing is a file without records', async () => {
  assert.equal((await readSaved(gzipSync(''))).reading.lines, 0)
})

test('files that are empty, cut short, damaged or a page are damaged files', async () => {
  const gz = gzipSync(`${line(1)}\n${line(2)}`)
  const flipped = Buffer.from(gz)
  flipped[flipped.length - 6]! ^= 0xff
  const files: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'cut in the header': gz.subarray(0, 2),
    'cut in the middle': gz.subarray(0, -9),
    'cut in the trailer': gz.subarray(0, -1),
    'wrong checksum': flipped,
    'junk after the end': Buffer.concat([gz, Buffer.from('junk')]),
    'web page': Buffer.from('\n <html><body>Bad gateway</body></html>'),
    'XML error': Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
  }
  for (const [name, file] of Object.entries(files)) await assert.rejects(readSaved(file), isDamaged, name)
})

test('a connection that breaks in the middle is a damaged file', async () => {
  const broken = new PassThrough()
  broken.write(gzipSync(line(1)).subarray(0, 20))
  setImmediate(() => broken.destroy(new Error('ECONNRESET')))
  await assert.rejects(readSaved(broken), isDamaged)
  assert.ok(broken.destroyed)
})

test('the reader waits for a slow publisher and ends with its error', async () => {
  const lines = Array.from({ length: 100 }, (_, id) => line(id)).join('\n')
  let open = 0
  let most = 0
  const slow: Publish = async ({ position }) => {
    most = Math.max(most, ++open)
    await new Promise((resolve) => setImmediate(resolve))
    open--
    if (position === 50) throw new ChatfeedError('transient', 'broker_gone', 'The broker is gone.')
  }
  const file = Readable.from([gzipSync(lines)])
  await assert.rejects(
    easemob.readSaved(file, slow, never),
    (error) => error instanceof ChatfeedError && error.code === 'broker_gone',
  )
  assert.equal(most, 1)
  assert.ok(file.destroyed)
})

test('a stopped import ends, also while it waits for the file', async () => {
  const stop = new AbortController()
  const endless = new PassThrough()
  endless.write(`${line(1)}\n`)
  const publish: Publish = () => {
    stop.abort()
    return undefined
  }
  await assert.rejects(easemob.readSaved(endless, publish, stop.signal), {
    code: 'stopped',
    remedy: 'transient',
  })
  assert.ok(endless.destroyed)
})
