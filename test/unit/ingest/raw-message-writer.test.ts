import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rawMessageCodec } from '../../support/codecs.ts'
import { RawMessageWriter } from '../../../src/ingest/raw-message-writer.ts'
import { messageId } from '../../../src/model.ts'
import type { RawRecord } from '../../../src/providers/provider.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('5I02W', '12345678901234567890', 'x'.repeat(300), '键', 'a😀', '\ud800'),
)
const time = fc.oneof(
  fc.integer({ min: -8.64e15, max: 8.64e15 }),
  fc.constantFrom(0, -1, 63, 64, 2 ** 31, 2 ** 32),
)
const record: fc.Arbitrary<RawRecord> = fc.record({
  messageId: fc.option(text),
  fingerprint: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  sentAt: fc.option(time),
  position: fc.oneof(fc.nat(), fc.constantFrom(9, 10, 99, 100), text),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
})
const unit = fc.record({ provider: text, source: text, tenant: text, unit: text, fetchedAt: time })

test('a record is written byte for byte as the codec writes it, whatever came before', () => {
  fc.assert(
    fc.property(unit, fc.array(record, { minLength: 1, maxLength: 6 }), (origin, records) => {
      const writer = new RawMessageWriter(rawMessageCodec, origin)
      for (const next of records) {
        writer.write(next)
        const { provider, source, tenant, fetchedAt } = origin
        const { fingerprint, sentAt, payload } = next
        const place = `${origin.unit}#${next.position}`
        const id = messageId(provider, tenant, next.messageId ?? place)
        const names = { revision: 0, id, provider, source, tenant, origin: place }
        const value = rawMessageCodec.encode({ ...names, fingerprint, sentAt, fetchedAt, payload })
        assert.deepEqual(
          Buffer.concat([writer.head.subarray(0, writer.headEnd), payload]),
          Buffer.from(value),
        )
        assert.equal(writer.head.toString('utf8', writer.keyAt, writer.keyEnd), id.toWellFormed())
      }
    }),
    { numRuns: 300, seed: 3 },
  )
})
