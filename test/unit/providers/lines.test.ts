import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createGunzip, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { eachRecord } from '../../../src/providers/lines.ts'

async function recordsOf(chunks: Iterable<Buffer | string>, maxBytes?: number): Promise<string[]> {
  const input = Readable.from(Array.from(chunks, (chunk) => Buffer.from(chunk)))
  const records: string[] = []
  await collect(input, records, maxBytes)
  return records
}

async function collect(input: Readable, records: string[], maxBytes?: number): Promise<void> {
  const onRecord = (record: Buffer) => void records.push(record.toString('latin1'))
  await eachRecord(input, onRecord, maxBytes === undefined ? {} : { maxBytes })
}

const cut = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return places.slice(1).map((end, at) => bytes.subarray(places[at], end))
}

test('lines come out in order, with or without a final newline', async () => {
  assert.deepEqual(await recordsOf(['{"a":1}\n{"b"', ':2}\n{"c":3}']), ['{"a":1}', '{"b":2}', '{"c":3}'])
  assert.deepEqual(await recordsOf(['{"a":1}\n']), ['{"a":1}'])
  assert.deepEqual(await recordsOf([]), [])
})

test('byte-order marks, CRLF and blank lines are dropped', async () => {
  const bom = '\ufeff'
  assert.deepEqual(await recordsOf([`${bom}{"a":1}\r\n\r\n \t\n${bom}\n${bom}{"b":2}\r\n\n`]), [
    '{"a":1}',
    '{"b":2}',
  ])
})

test('records joined without a newline are parted at the top level only', async () => {
  const tricky = '{"t":"}{ \\" }{","n":{"m":{}},"l":[{"x":1}]}'
  assert.deepEqual(await recordsOf([`{"a":{}}${tricky}{"b":2}\n{"c":3}{"d":4}`]), [
    '{"a":{}}',
    tricky,
    '{"b":2}',
    '{"c":3}',
    '{"d":4}',
  ])
  assert.deepEqual(await recordsOf(['{"a":"\\\\"}{"b":2}']), ['{"a":"\\\\"}', '{"b":2}'])
})

test('a line that is no JSON is handed on as it is', async () => {
  assert.deepEqual(await recordsOf(['{"a":1}\n<oops> }{\n{"cut":"of\n{"b":2}\n']), [
    '{"a":1}',
    '<oops> }{',
    '{"cut":"of',
    '{"b":2}',
  ])
})

test('of an over-long record the first bytes are handed on and the neighbours survive', async () => {
  const long = `{"t":"${'x'.repeat(100)}"}`
  for (const size of [1, 7, 1000]) {
    const bytes = Buffer.from(`{"a":1}\n${long}\n{"b":2}\n{"c":3}\n${long}`)
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    )
    const head = long.slice(0, 20)
    assert.deepEqual(await recordsOf(chunks, 20), ['{"a":1}', head, '{"b":2}', '{"c":3}', head])
  }
})

test('records joined to more than the limit are all kept', async () => {
  const joined = Array.from({ length: 5_000 }, (_, n) => `{"n":${n}}`)
  const found = await recordsOf(cut(Buffer.from(joined.join('')), [9_001, 20_007, 31_111]), 2_000)
  assert.deepEqual(found, joined)
})

test('an endless line takes no more memory than its limit', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const endless = Array<Buffer>(4096).fill(chunk)
  let peak = 0
  async function* measured(): AsyncGenerator<Buffer> {
    for (const piece of endless) {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers)
      yield Buffer.from(piece)
      await Promise.resolve()
    }
  }
  const before = process.memoryUsage().arrayBuffers
  let records = 0
  await eachRecord(measured(), () => void records++, { maxBytes: 1024 * 1024 })
  assert.equal(records, 1)
  assert.ok(peak - before < 100 * 1024 * 1024, `256 MiB passed, ${peak - before} bytes were held`)
})

test('a slow reader holds back the stream', async () => {
  let read = 0
  async function* chunks(): AsyncGenerator<Buffer> {
    for (; read < 10_000; read++) yield await Promise.resolve(Buffer.from('{"a":1}\n'.repeat(100)))
  }
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  let records = 0
  const reading = eachRecord(chunks(), () => (++records === 1 ? held : undefined))
  for (let before = -1; before !== read || records === 0;) {
    before = read
    await setTimeout(20)
  }
  assert.ok(read < 100, `${read} chunks were read ahead`)
  assert.ok(records < 200, `${records} records came while the first was not done`)
  release()
  await reading
  assert.equal(records, 1_000_000)
})

test('records are handed on one by one to a reader that waits, also from one line', async () => {
  const input = Readable.from([Buffer.from('{"a":1}{"a":2}{"a":3}\n{"a":4}')])
  const seen: string[] = []
  let waiting = 0
  await eachRecord(input, async (record) => {
    assert.equal(++waiting, 1, 'a record was handed on while another one waits')
    await setTimeout(1)
    seen.push(record.toString())
    waiting--
  })
  assert.deepEqual(seen, ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}'])
})

test('a late rejection of the last record ends the reading too', async () => {
  for (const text of ['{"a":1}{"a":2}', '{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}\n']) {
    let count = 0
    const rejectLast = async () => {
      const isLast = ++count === 2
      await setTimeout(5)
      if (isLast) throw new Error('no room')
    }
    await assert.rejects(eachRecord(Readable.from([Buffer.from(text)]), rejectLast), /no room/, text)
  }
})

test('what the reader throws or rejects with ends the reading and destroys the stream', async () => {
  for (const fail of [
    () => Promise.reject(new Error('full')),
    () => {
      throw new Error('full')
    },
  ]) {
    const input = Readable.from(Array(1_000).fill(Buffer.from('{"a":1}\n')))
    await assert.rejects(eachRecord(input, fail), /full/)
    assert.ok(input.destroyed)
  }
})

test('the error of the stream reaches the reader', async () => {
  const input = new PassThrough()
  input.write('{"a":1}\n')
  input.destroy(new Error('reset'))
  await assert.rejects(
    eachRecord(input, () => undefined),
    /reset/,
  )
})

const anyRecord = fc
  .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { maxKeys: 3 })
  .map((value) => Buffer.from(JSON.stringify(value)).toString('latin1'))
const hostileLine = fc
  .uint8Array({ maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('\n', '}{'))

test('any bytes, in any gzip members and any chunks, give the same records', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(anyRecord, hostileLine, fc.constant('')), { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.nat(), { maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      async (lines, separator, memberCuts, chunkCuts) => {
        const bytes = Buffer.from(lines.join(separator), 'latin1')
        const whole = await recordsOf([bytes])
        const gz = Buffer.concat(cut(bytes, memberCuts).map((member) => gzipSync(member)))
        const gunzip = Readable.from(cut(gz, chunkCuts)).pipe(createGunzip({ chunkSize: 64 }))
        const found: string[] = []
        await collect(gunzip, found)
        assert.deepEqual(found, whole)
      },
    ),
    { numRuns: 300 },
  )
})

test('whatever JSON the records hold, joined or on lines, they come out as they went in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyRecord, fc.constantFrom('', '\n', '\r\n', '\n\n'))),
      fc.array(fc.nat(), { maxLength: 20 }),
      async (records, cuts) => {
        const bytes = Buffer.from(records.flat().join(''), 'latin1')
        assert.deepEqual(
          await recordsOf(cut(bytes, cuts)),
          records.map(([record]) => record),
        )
      },
    ),
    { numRuns: 300 },
  )
})
