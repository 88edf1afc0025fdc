import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { ChatfeedError } from '../../../../src/errors.ts'
import { polyv } from '../../../../src/providers/polyv/index.ts'
import type { RawRecord } from '../../../../src/providers/provider.ts'
import { recordOf } from '../../../../src/providers/polyv/message/records.ts'

const item = (id: string): string => `{ "id" : "${id}","time":1603186536120,"content":"]},{","roomId":"1" }`
const [a, b, c] = [item('a'), item('b'), item('c')]
const page = (data: string): string => `{"code":200,"status":"success","message":"","data":${data}}`

/** Reads bytes that arrive in chunks of a size. */
async function readSaved(bytes: Buffer | string, chunkSize = 7) {
  const whole = Buffer.from(bytes)
  const chunks = Array.from({ length: Math.ceil(whole.length / chunkSize) }, (_, index) =>
    whole.subarray(index * chunkSize, (index + 1) * chunkSize),
  )
  const records: RawRecord[] = []
  const publish = (record: RawRecord): undefined => void records.push(record)
  const reading = await polyv.readSaved(Readable.from(chunks), publish, new AbortController().signal)
  return { reading, records, payloads: records.map(({ payload }) => payload.toString()) }
}

const files: [name: string, text: string][] = [
  ['a saved page of getHistory', page(`[${a},\n${b} , ${c}]`)],
  ['a saved page of getHistoryByPage', page(`{"list":[${a},${b},${c}],"page":1,"size":3}`)],
  ['a saved page of get-history-page', page(`{"pageSize":3,"contents":[${a},${b},${c}]}`)],
  ['a saved page of get-speak-list', page(`{"size":3,"cursor":"7_3","list":[${a},${b},${c}]}`)],
  ['an array of items', `[${a}, ${b}, ${c}]`],
  ['an array of pages', `[${page(`[${a}]`)},${page(`[${b},${c}]`)}]`],
  ['items, one a line', `${a}\n${b}\r\n${c}\n`],
  ['pages, one a line', `${page(`[${a},${b}]`)}\n${page('[]')}\n${page(`[${c}]`)}`],
  ['pages without a line break between', `${page(`[${a}]`)}${page(`[${b},${c}]`)}`],
  ['a file that begins with a byte-order mark', `\ufeff[${a},${b},${c}]`],
]

for (const [name, text] of files) {
  test(`${name}: every item with its own bytes, gz or not, however it is cut`, async () => {
    for (const chunkSize of [1, 3, 64, 100_000]) {
      assert.deepEqual((await readSaved(text, chunkSize)).payloads, [a, b, c])
      assert.deepEqual((await readSaved(gzipSync(text), chunkSize)).payloads, [a, b, c])
    }
  })
}

test('the reading counts lines and bytes and has the same digest each time', async () => {
  const first = (await readSaved(`[${a},${b}]`)).reading
  assert.equal(first.lines, 2)
  assert.equal(first.bytes, a.length + b.length)
  assert.deepEqual((await readSaved(page(`[${a},${b}]`), 1000)).reading, first)
  assert.notEqual((await readSaved(`[${a},${c}]`)).reading.digest, first.digest)
})

test('an imported message has the id and fingerprint of the polled one, and positions that count', async () => {
  const { records } = await readSaved(`[${a},${b}]`)
  const polled = recordOf(Buffer.from(a), { status: 'pass', scope: 'public' })
  assert.equal(records[0]?.messageId, polled.messageId)
  assert.deepEqual(records[0].fingerprint, polled.fingerprint)
  assert.deepEqual(
    records.map(({ position }) => position),
    [1, 2],
  )
})

test('lines and values that are no message are handed on, their neighbours too', async () => {
  const { records, payloads } = await readSaved(`${a}\nnot json, at all\n${b}`)
  assert.deepEqual(payloads, [a, 'not json, at all', b])
  assert.equal(records[1]?.messageId, null)
  assert.deepEqual((await readSaved(`[${a}, null, 12, ${b}]`)).payloads, [a, 'null', '12', b])
  const errorPage = '{"code":400,"status":"error","message":"invalid timestamp.","data":""}'
  assert.deepEqual(
    (await readSaved(errorPage)).records.map(({ messageId }) => messageId),
    [null],
  )
})

test('an empty file is an empty reading', async () => {
  assert.equal((await readSaved('')).reading.lines, 0)
  assert.equal((await readSaved(' \n[]\n')).reading.lines, 0)
})

test('a file that ends too early fails after what came before it', async () => {
  const records: RawRecord[] = []
  const publish = (record: RawRecord): undefined => void records.push(record)
  const cut = Readable.from([Buffer.from(`${a}\n${page(`[${b},${c}`)}`)])
  await assert.rejects(polyv.readSaved(cut, publish, new AbortController().signal), (error) => {
    return error instanceof ChatfeedError && error.remedy === 'fatal' && error.code === 'file_truncated'
  })
  assert.equal(records.length, 1)
  await assert.rejects(readSaved(gzipSync(`[${a}]`).subarray(0, 40)), (error) => {
    return error instanceof ChatfeedError && error.code === 'file_damaged'
  })
})

test('a fault of the publisher ends the reading with that fault', async () => {
  const refuse = (): Promise<void> => Promise.reject(new Error('Kafka is away'))
  const file = Readable.from([gzipSync(`[${a}]`)])
  await assert.rejects(polyv.readSaved(file, refuse, new AbortController().signal), /Kafka is away/)
})

test('a stopped import ends', async () => {
  const file = Readable.from([Buffer.from(`[${a}]`)])
  await assert.rejects(
    polyv.readSaved(file, () => undefined, AbortSignal.abort()),
    (error) => error instanceof ChatfeedError && error.code === 'stopped',
  )
})

test('a stopped import ends while it waits for the file', async () => {
  const stop = new AbortController()
  const endless = new PassThrough()
  endless.write(`${a}\n{`)
  const publish = (): undefined => {
    stop.abort()
  }
  await assert.rejects(polyv.readSaved(endless, publish, stop.signal), { code: 'stopped' })
  assert.ok(endless.destroyed)
})

test('a page of several megabytes in small chunks is read in linear time', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => item(`m${index}`))
  const { reading } = await readSaved(page(`[${many.join(',')}]`), 1_024)
  assert.equal(reading.lines, 20_000)
})

test('any bytes end in a reading or in a fault with a name', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '1', '\n', ' ') }),
      async (text) => {
        await readSaved(text, 2).catch((error: unknown) => assert.ok(error instanceof ChatfeedError))
      },
    ),
  )
})
