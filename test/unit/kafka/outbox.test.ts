import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Outbox } from '../../../src/kafka/outbox.ts'
import { encodeBatch, type SealedBatch } from '../../../src/kafka/record-batch.ts'
import { RecordSet } from '../../../src/kafka/record-set.ts'

const owner = { producerId: 1n, producerEpoch: 0, baseSequence: 0, transactional: true }

const recordsOf = (batch: SealedBatch) =>
  Array.from(new RecordSet('t', 0, 0, encodeBatch(batch, owner), []), (record) => ({
    key: record.key()?.toString(),
    length: record.value()?.length ?? 0,
  }))

test('outputs are batches below 900 kB, in the order of their records', () => {
  const out = new Outbox(4)
  const lengths = Array.from({ length: 300 }, (_, n) => 1 + ((n * 7_919) % 60_000))
  lengths.forEach((length, n) => {
    out.add('unique', Buffer.from(`k${n}`), Buffer.alloc(length))
  })
  const outputs = out.take()
  assert.deepEqual(
    outputs.map(({ topic, partition }) => ({ topic, partition })),
    [{ topic: 'unique', partition: 4 }],
  )
  const batches = outputs[0]!.batches.map(recordsOf)
  assert.ok(batches.length > 5)
  for (const records of batches) {
    const bytes = records.reduce((sum, record) => sum + record.length, 0)
    assert.ok(bytes <= 900_000, `${bytes} bytes in one batch`)
  }
  assert.deepEqual(
    batches.flat(),
    lengths.map((length, n) => ({ key: `k${n}`, length })),
  )
})

test('a record above the bound goes in a batch of its own', () => {
  const out = new Outbox(0)
  out.add('t', Buffer.from('small'), Buffer.alloc(899_000))
  out.add('t', Buffer.from('huge'), randomBytes(3_000_000))
  out.add('t', Buffer.from('next'), Buffer.from('v'))
  assert.deepEqual(
    out.take()[0]?.batches.map((batch) => recordsOf(batch).map(({ key }) => key)),
    [['small'], ['huge'], ['next']],
  )
})

test('an outbox holds what was added since the last take, topic by topic', () => {
  const out = new Outbox(0)
  assert.deepEqual(out.take(), [])
  out.add('unique', Buffer.from('a'), null)
  out.add('dead', null, Buffer.from('b'), [{ key: 'reason', value: Buffer.from('c') }])
  assert.deepEqual(
    out.take().map(({ topic, batches }) => [topic, batches.map(({ records }) => records)]),
    [['unique', [1]], ['dead', [1]]], // prettier-ignore
  )
  assert.deepEqual(out.take(), [])
  out.add('dead', Buffer.from('d'), null)
  assert.deepEqual(
    out.take().map(({ topic }) => topic),
    ['dead'],
  )
})

test('key and value are copied when they are added', () => {
  const out = new Outbox(0)
  const key = Buffer.from('first')
  out.add('t', key, key)
  key.write('wrong')
  assert.equal(recordsOf(out.take()[0]!.batches[0]!)[0]?.key, 'first')
})
