import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type { Connection } from '../../src/kafka/connection.ts'
import { committedOffsets, topicOffsets } from '../../src/kafka/offsets.ts'
import { Outbox } from '../../src/kafka/outbox.ts'
import { type TransactionOutput, TransactionalWriter } from '../../src/kafka/transaction.ts'
import { testKafka } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'

/** Two topics of two partitions, a group, and writers of its transactions. */
async function arena(t: TestContext) {
  const kafka = testKafka(t)
  const [input, unique, dead] = await Promise.all(
    ['in', 'unique', 'dead'].map((name) => kafka.topic(name, 2)),
  )
  const groupId = kafka.group('g')
  const connect = async (): Promise<Connection> => {
    const connection = kafka.connection()
    await connection.know([input!, unique!, dead!])
    return connection
  }
  return {
    unique: unique!,
    dead: dead!,
    openWriter: async (id = 'w') => TransactionalWriter.open(await connect(), kafka.group(id)),
    offsets: (offset: number) => ({ groupId, positions: [{ topic: input!, partition: 1, offset }] }),
    committed: async () => (await committedOffsets(await connect(), groupId, input!)).get(1),
    valuesOf: async (topic: string) =>
      (await readCommitted(kafka.kafka.brokers, topic)).map(({ value }) => value.toString()).sort(),
    /** Where read_committed readers of the partition stop now. */
    stableEnd: async (topic: string) => (await topicOffsets(await connect(), topic, 'latest')).get(1),
  }
}

function outputs(...records: [topic: string, value: string][]): TransactionOutput[] {
  const out = new Outbox(1)
  for (const [topic, value] of records) out.add(topic, Buffer.from('k'), Buffer.from(value))
  return out.take()
}

test('outputs to several topics and offsets become visible together', async (t) => {
  const { unique, dead, openWriter, offsets, committed, valuesOf } = await arena(t)
  const writer = await openWriter()
  assert.equal(await committed(), undefined)
  await writer.commit(outputs([unique, 'a'], [dead, 'b']), offsets(10))
  await openWriter() // waits until the markers of the transaction are written
  assert.equal(await committed(), 10)
  assert.deepEqual(await valuesOf(unique), ['a'])
  assert.deepEqual(await valuesOf(dead), ['b'])
})

test('a transaction that fails in the middle leaves nothing, neither outputs nor offsets', async (t) => {
  const { unique, dead, openWriter, offsets, committed, valuesOf } = await arena(t)
  const writer = await openWriter()
  await writer.commit(outputs([unique, 'first']), offsets(1))
  const out = new Outbox(1)
  out.add(unique, Buffer.from('k'), Buffer.from('never'))
  out.add(dead, Buffer.from('k'), randomBytes(2_000_000)) // more than the topic takes
  await assert.rejects(writer.commit(out.take(), offsets(2)), { code: 'kafka_message_too_large' })
  await openWriter() // fences, and aborts what was begun
  assert.deepEqual(await valuesOf(unique), ['first'])
  assert.deepEqual(await valuesOf(dead), [])
  assert.equal(await committed(), 1)
})

test('a fenced writer cannot commit, and the offsets read after fencing stay true', async (t) => {
  const { unique, openWriter, offsets, committed, valuesOf } = await arena(t)
  const old = await openWriter()
  await old.commit(outputs([unique, 'old']), offsets(5))
  const current = await openWriter()
  assert.equal(await committed(), 5)
  const fenced = { remedy: 'transient', code: 'fenced' }
  await assert.rejects(old.commit(outputs([unique, 'zombie']), offsets(99)), fenced)
  await assert.rejects(old.commit([], offsets(99)), fenced)
  await assert.rejects(old.commit(outputs([unique, 'zombie'])), fenced)
  assert.equal(await committed(), 5)
  await current.commit(outputs([unique, 'new']), offsets(6))
  await openWriter()
  assert.deepEqual(await valuesOf(unique), ['new', 'old'])
  assert.equal(await committed(), 6)
})

test('many writers of one id at once: offsets and outputs always agree', async (t) => {
  const { unique, openWriter, offsets, committed, valuesOf } = await arena(t)
  const work = async () => {
    for (let round = 0; round < 8; round++) {
      try {
        const writer = await openWriter()
        const next = ((await committed()) ?? 0) + 1
        await writer.commit(outputs([unique, `value ${String(next).padStart(3, '0')}`]), offsets(next))
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'fenced')
      }
    }
  }
  await Promise.all([work(), work(), work()])
  await openWriter()
  const last = (await committed()) ?? 0
  assert.ok(last > 0)
  assert.deepEqual(
    await valuesOf(unique),
    Array.from({ length: last }, (_, n) => `value ${String(n + 1).padStart(3, '0')}`),
  )
})

test('a transaction of offsets alone follows another one at once', async (t) => {
  const { unique, openWriter, offsets, committed, valuesOf } = await arena(t)
  const writer = await openWriter()
  for (let offset = 1; offset <= 40; offset++)
    await writer.commit(offset % 3 === 0 ? outputs([unique, String(offset)]) : [], offsets(offset))
  await openWriter()
  assert.equal(await committed(), 40)
  assert.equal((await valuesOf(unique)).length, 13)
})

test('a transaction of outputs alone, and an empty one, need no group', async (t) => {
  const { unique, openWriter, committed, valuesOf } = await arena(t)
  const writer = await openWriter()
  await writer.commit(outputs([unique, 'a']))
  await writer.commit([])
  await writer.commit(outputs([unique, 'b']))
  await openWriter()
  assert.deepEqual(await valuesOf(unique), ['a', 'b'])
  assert.equal(await committed(), undefined)
})

test('one transaction carries many batches of one partition', async (t) => {
  const { unique, openWriter, offsets, valuesOf } = await arena(t)
  const writer = await openWriter()
  for (const round of [0, 1, 2]) {
    const out = new Outbox(1)
    for (let n = 0; n < 40; n++) out.add(unique, Buffer.from(`${round}`), randomBytes(100_000))
    const taken = out.take()
    assert.ok(taken[0]!.batches.length >= 4)
    await writer.commit(taken, offsets(round))
  }
  await openWriter()
  assert.equal((await valuesOf(unique)).length, 120)
})

test('readers stop before an open transaction, and the next writer sets them free', async (t) => {
  const { unique, openWriter, valuesOf, stableEnd } = await arena(t)
  const writer = await openWriter()
  await (await openWriter('before')).commit(outputs([unique, 'a']))
  await openWriter('before')
  const end = await stableEnd(unique)
  // Written without an end, as by a process that is killed.
  const [output] = outputs([unique, 'open'])
  const big = new Outbox(1)
  big.add(unique, null, randomBytes(2_000_000))
  const batches = [...output!.batches, ...big.take()[0]!.batches]
  await assert.rejects(writer.commit([{ ...output!, batches }]), { code: 'kafka_message_too_large' })
  assert.equal(await stableEnd(unique), end)
  await openWriter()
  assert.ok((await stableEnd(unique))! > end!)
  assert.deepEqual(await valuesOf(unique), ['a'])
})
