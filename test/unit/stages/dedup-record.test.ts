import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headerBytes } from '../../../src/framing.ts'
import { rawMessageCodec } from '../../support/codecs.ts'
import { ChatfeedError } from '../../../src/errors.ts'
import type { RecordView } from '../../../src/kafka/record-set.ts'
import type { RawMessage } from '../../../src/model.ts'
import { DedupRecord } from '../../../src/stages/dedup-record.ts'
import { contentOf } from './contents.ts'
import { recordSet } from './records.ts'

const times = fc.oneof(
  fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 }),
  fc.integer({ min: -70, max: 70 }),
  fc.maxSafeInteger().filter((ms) => Math.abs(ms) < Number.MAX_SAFE_INTEGER), // the bounds of the library
)
const text = fc.oneof(
  fc.constant('easemob:acme#helpdesk:1287645'),
  fc.string({ unit: 'binary', maxLength: 200 }),
)
const message: fc.Arbitrary<RawMessage> = fc.record(
  {
    revision: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer()),
    id: text,
    provider: text,
    source: text,
    tenant: text,
    origin: text,
    fingerprint: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
    sentAt: fc.option(times),
    fetchedAt: times,
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  },
  { noNullPrototype: true },
)

/** What the decoder alone makes of a value. */
function decoded(value: Buffer): RawMessage | ChatfeedError {
  try {
    return rawMessageCodec.decode(value)
  } catch (error) {
    assert.ok(error instanceof ChatfeedError)
    return error
  }
}

/** Reads the value among others, and compares with the decoder. Returns whether it was a message. */
function check(value: Buffer): boolean {
  const neighbour = { key: Buffer.from('n'), value: Buffer.alloc(40, 0x7f) }
  const records = recordSet([neighbour, { key: Buffer.from('key'), value }, neighbour])
  const record = new DedupRecord(rawMessageCodec)
  let isMessage = false
  for (const view of records) {
    if (view.offset !== 101) continue
    const error = record.read(view)
    const expected = decoded(value)
    isMessage = !(expected instanceof ChatfeedError)
    if (expected instanceof ChatfeedError) {
      assert.deepEqual([error?.code, error?.message], [expected.code, expected.message])
      continue
    }
    assert.equal(error, undefined)
    const { word0, word1, word2, fingerprint } = record.content
    const content = contentOf(expected.id, expected.fingerprint)
    assert.deepEqual([word0, word1, word2], [content.word0, content.word1, content.word2])
    assert.deepEqual(fingerprint, content.fingerprint)
    assert.equal(record.fetchedAt, expected.fetchedAt)
    assert.equal(record.revision, expected.revision)
    assert.equal(record.revisionEnd - view.valueStart, endOfRevision(value))
  }
  return isMessage
}

function endOfRevision(value: Buffer): number {
  let end = headerBytes
  while (value[end++]! > 0x7f);
  return end
}

test('whatever a message holds, it is read as the decoder reads it', () => {
  fc.assert(
    fc.property(message, (value) => {
      check(Buffer.from(rawMessageCodec.encode(value)))
    }),
    { numRuns: 500 },
  )
})

test('bytes changed, cut off, put in or appended: it is read, or refused, as by the decoder', () => {
  const change = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('set', 'cut', 'insert', 'append', 'remove'),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.constantFrom(
        Uint8Array.of(0x80, 0x00),
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f),
        Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00),
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
        Uint8Array.of(0xc3, 0x28),
      ),
    ),
  })
  let accepted = 0
  fc.assert(
    fc.property(message, fc.array(change, { minLength: 1, maxLength: 2 }), (whole, changes) => {
      let value = Buffer.from(rawMessageCodec.encode(whole))
      for (const { at, how, bytes } of changes) {
        // Mostly in the fields before the payload.
        const place = at % (value.length + 1)
        const [before, after] = [value.subarray(0, place), value.subarray(place)]
        if (how === 'set') value = Buffer.concat([before, bytes, after.subarray(bytes.length)])
        if (how === 'insert') value = Buffer.concat([before, bytes, after])
        if (how === 'remove') value = Buffer.concat([before, after.subarray(bytes.length)])
        if (how === 'append') value = Buffer.concat([value, bytes])
        if (how === 'cut') value = before
      }
      if (check(value)) accepted++
    }),
    { numRuns: 3_000 },
  )
  assert.ok(accepted > 100, 'some of them are still messages')
})

test('no value is refused as by the decoder', () => {
  const view = [...recordSet([{ key: Buffer.from('k'), value: null }])][0] as RecordView
  assert.equal(new DedupRecord(rawMessageCodec).read(view)?.code, 'unknown_schema')
})

test('a message as ingest writes it never meets the decoder', (t) => {
  const decode = t.mock.method(rawMessageCodec, 'decode')
  const value = rawMessageCodec.encode({
    revision: 0,
    id: 'easemob:acme#helpdesk:1287645',
    provider: 'easemob',
    source: '客服',
    tenant: 'acme#helpdesk',
    origin: 'import/历史.gz#7',
    fingerprint: Buffer.alloc(16, 0xfe),
    sentAt: 1_795_600_000_123,
    fetchedAt: 1_795_600_060_456,
    payload: Buffer.from('{"msg":"你好"}'),
  })
  for (const view of recordSet([{ key: Buffer.from('k'), value: Buffer.from(value) }]))
    assert.equal(new DedupRecord(rawMessageCodec).read(view), undefined)
  assert.equal(decode.mock.callCount(), 0)
})
