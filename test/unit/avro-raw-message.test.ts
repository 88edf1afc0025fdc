import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { schemaText } from '../../src/avro.ts'
import { headerBytes } from '../../src/framing.ts'
import { codecOf, rawMessageCodec } from '../support/codecs.ts'
import { ChatfeedError } from '../../src/errors.ts'
import type { RawMessage } from '../../src/model.ts'
import { rawMessage } from './samples.ts'

const bySchema = codecOf<RawMessage>(schemaText('raw-message'))

const text = fc.oneof(
  fc.string({ maxLength: 70 }),
  fc.array(fc.nat(0xffff), { maxLength: 70 }).map((units) => String.fromCharCode(...units)),
)
const time = fc.oneof(fc.constantFrom(0, -1, 2 ** 48 - 1, 2 ** 48, 2 ** 53 - 2, 2 - 2 ** 53), fc.integer())
const bytes = (length: { minLength?: number; maxLength: number }) =>
  fc.uint8Array(length).map((array) => Buffer.from(array))
const anyRaw: fc.Arbitrary<RawMessage> = fc.record({
  revision: fc.integer(),
  id: text,
  provider: fc.oneof(fc.constantFrom('easemob', 'polyv'), text),
  source: text,
  tenant: fc.oneof(fc.constantFrom('', 'acme#helpdesk', 'acme#help', 'acme#helpdesk2'), text),
  origin: text,
  fingerprint: bytes({ minLength: 16, maxLength: 16 }),
  sentAt: fc.option(time, { nil: null }),
  fetchedAt: time,
  payload: bytes({ maxLength: 300 }),
})

function outcome(decode: () => RawMessage): unknown {
  try {
    return { ...decode() }
  } catch (error) {
    if (error instanceof ChatfeedError) return `${error.remedy} ${error.code}`
    throw error
  }
}

test('a raw message has the bytes that its schema gives it, and a view reads what was written', () => {
  fc.assert(
    fc.property(anyRaw, (value) => {
      const expected = Buffer.from(bySchema.encode(value))
      const found = Buffer.from(rawMessageCodec.encode(value))
      assert.deepEqual(found, expected)
      assert.deepEqual(
        outcome(() => rawMessageCodec.view(found)),
        outcome(() => bySchema.decode(found)),
      )
    }),
    { numRuns: 500, seed: 6 },
  )
})

test('a view takes and refuses what decoding does, whichever byte is changed, cut off or added', () => {
  const good = Buffer.from(bySchema.encode(rawMessage))
  const change = fc.record({
    at: fc.nat(good.length - 1),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff)),
    cut: fc.nat(good.length),
    more: fc.nat(3),
  })
  fc.assert(
    fc.property(change, ({ at, byte, cut, more }) => {
      const changed = Buffer.from(good)
      changed[at] = byte
      for (const value of [changed, good.subarray(0, cut), Buffer.concat([changed, Buffer.alloc(more)])])
        assert.deepEqual(
          outcome(() => rawMessageCodec.view(value)),
          outcome(() => bySchema.decode(value)),
        )
    }),
    { numRuns: 2_000, seed: 6 },
  )
})

test('hostile bytes behind a right header are refused by a view as by decoding', () => {
  const header = bySchema.encode(rawMessage).subarray(0, headerBytes)
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc
      .array(fc.constantFrom(0x00, 0x01, 0x02, 0x20, 0x7e, 0x80, 0xff), { maxLength: 60 })
      .map((array) => Buffer.from(array)),
  )
  fc.assert(
    fc.property(hostile, (body) => {
      const value = Buffer.concat([header, body])
      assert.deepEqual(
        outcome(() => rawMessageCodec.view(value)),
        outcome(() => bySchema.decode(value)),
      )
    }),
    { numRuns: 2_000, seed: 6 },
  )
})

test('payload and fingerprint of a view lie in the given bytes', () => {
  const value = Buffer.from(rawMessageCodec.encode(rawMessage))
  const { payload, fingerprint } = rawMessageCodec.view(value)
  assert.equal(payload.buffer, value.buffer)
  assert.equal(fingerprint.buffer, value.buffer)
  assert.notEqual(rawMessageCodec.decode(value).payload.buffer, value.buffer)
})
