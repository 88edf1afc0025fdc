import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeBatch, RecordBatchWriter } from '../../../src/kafka/record-batch.ts'
import { RecordSet } from '../../../src/kafka/record-set.ts'
import { decodeWithKafkajs, encodeWithKafkajs } from '../../support/kafkajs-codec.ts'

const timestampMs = 1_795_399_200_123
const owner = {
  producerId: 4_611_686_018_427_387_905n,
  producerEpoch: 3,
  baseSequence: 41,
  transactional: true,
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
interface Plain {
  key: Buffer | null
  value: Buffer | null
  headers: Record<string, Buffer>
}
const record: fc.Arbitrary<Plain> = fc.record(
  {
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.dictionary(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((name) => `h${name}`),
      bytes,
      { maxKeys: 3, noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
)

function write(records: readonly Plain[]): Buffer {
  const writer = new RecordBatchWriter(16)
  for (const { key, value, headers } of records) {
    writer.append(
      key,
      value,
      Object.entries(headers).map(([name, content]) => ({ key: name, value: content })),
    )
  }
  assert.equal(writer.records, records.length)
  const batch = writer.seal(timestampMs)
  assert.equal(writer.records, 0)
  return encodeBatch(batch, owner)
}

function read(batch: Buffer): (Plain & { offset: number; timestampMs: number })[] {
  return Array.from(new RecordSet('t', 0, 0, batch, []), (view) => ({
    offset: view.offset,
    timestampMs: view.timestampMs,
    key: view.key(),
    value: view.value(),
    headers: Object.fromEntries(view.headers()),
  }))
}

test('what the writer writes, the record set and kafkajs read back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 40 }), async (records) => {
      const batch = write(records)
      assert.deepEqual(
        read(batch),
        records.map((plain, offset) => ({ offset, timestampMs, ...plain })),
      )
      const witness = await decodeWithKafkajs(batch)
      assert.deepEqual(
        witness.records.map(({ key, value, headers }) => ({ key, value, headers })),
        records,
      )
      assert.equal(witness.lastOffsetDelta, records.length - 1)
    }),
    { numRuns: 200 },
  )
})

test('the head of a batch says who wrote it', async () => {
  const batch = write([{ key: null, value: null, headers: {} }])
  const { producerId, producerEpoch, firstSequence, inTransaction, records } = await decodeWithKafkajs(batch)
  assert.deepEqual(
    { producerId, producerEpoch, firstSequence, inTransaction },
    { producerId: '4611686018427387905', producerEpoch: 3, firstSequence: 41, inTransaction: true },
  )
  assert.equal(records[0]?.timestamp, String(timestampMs))
  const plain = new RecordBatchWriter()
  plain.append(null, null)
  const idempotent = encodeBatch(plain.seal(), { ...owner, transactional: false })
  assert.equal((await decodeWithKafkajs(idempotent)).inTransaction, false)
})

test('lengths around the bounds of a varint are kept', async () => {
  const lengths = [0, 1, 62, 63, 64, 65, 8_190, 8_191, 8_192, 1_048_575, 1_048_576, 3_000_000]
  const records = lengths.map((length) => ({
    key: Buffer.alloc(length % 9_000, 'k'),
    value: Buffer.alloc(length, 'v'),
    headers: { length: Buffer.alloc(length % 10_000, 'h') },
  }))
  const batch = write(records)
  assert.deepEqual(
    read(batch).map(({ key, value, headers }) => ({ key, value, headers })),
    records,
  )
  assert.deepEqual(
    (await decodeWithKafkajs(batch)).records.map(({ value }) => value?.length),
    lengths,
  )
})

test('a batch may hold 70,000 records', async () => {
  const records = Array.from({ length: 70_000 }, (_, n) => ({
    key: Buffer.from(`k${n}`),
    value: Buffer.from(String(n)),
    headers: {},
  }))
  const batch = write(records)
  let count = 0
  for (const view of new RecordSet('t', 0, 0, batch, [])) {
    assert.equal(view.offset, count)
    assert.equal(view.value()?.toString(), String(count++))
  }
  assert.equal(count, records.length)
  assert.equal((await decodeWithKafkajs(batch)).records.at(-1)?.value?.toString(), '69999')
})

for (const codec of ['none', 'gzip', 'lz4'] as const) {
  test(`batches that kafkajs writes with codec ${codec} are read`, async () => {
    const deltas = fc.integer({ min: -100_000_000_000, max: 100_000_000_000 })
    const records = fc.array(fc.record({ plain: record, timestampDelta: deltas }), {
      minLength: 1,
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(records, fc.maxSafeNat(), async (list, firstOffset) => {
        fc.pre(Number.isSafeInteger(firstOffset + list.length))
        const batch = await encodeWithKafkajs(
          codec,
          firstOffset,
          timestampMs,
          list.map(({ plain, timestampDelta }) => ({ ...plain, timestampDelta })),
        )
        const set = new RecordSet('t', 0, firstOffset, batch, [])
        assert.equal(set.nextOffset, firstOffset + list.length)
        let index = 0
        for (const view of set) {
          const { plain, timestampDelta } = list[index]!
          assert.equal(view.offset, firstOffset + index++)
          assert.equal(view.timestampMs, timestampMs + timestampDelta)
          assert.deepEqual(
            { key: view.key(), value: view.value(), headers: Object.fromEntries(view.headers()) },
            plain,
          )
        }
        assert.equal(index, list.length)
      }),
    )
  })
}

test('a record that was read goes into another batch with one byte changed, with other headers and at another offset', () => {
  const plain = fc.record(
    {
      key: bytes,
      value: fc.uint8Array({ minLength: 1, maxLength: 9_000 }).map((array) => Buffer.from(array)),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(
      fc.array(fc.tuple(plain, fc.nat(), fc.boolean(), record), { minLength: 1, maxLength: 90 }),
      (list) => {
        const source = new RecordSet('t', 0, 0, write(list.map(([one]) => ({ ...one, headers: {} }))), [])
        const target = new RecordBatchWriter(16)
        const expected: Plain[] = []
        for (const view of source) {
          const [one, choice, isTaken, { headers }] = list[view.offset]!
          if (!isTaken && expected.length > 0) continue
          const at = choice % one.value.length
          const changed = Buffer.from(one.value)
          changed[at] = choice & 0xff
          expected.push({ key: one.key, value: changed, headers })
          target.appendChanged(
            view,
            view.valueStart + at,
            choice & 0xff,
            Object.entries(headers).map(([name, value]) => ({ key: name, value })),
          )
        }
        assert.deepEqual(
          read(encodeBatch(target.seal(timestampMs), owner)),
          expected.map((one, offset) => ({ offset, timestampMs, ...one })),
        )
      },
    ),
    { numRuns: 60 },
  )
})
