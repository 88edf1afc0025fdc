import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AbortedTransaction, RecordSet } from '../../../src/kafka/record-set.ts'
import { batchAt, changed, emptiedBatch, marker, texts } from './batches.ts'

const setOf = (batches: readonly Buffer[], from = 0, aborted: readonly AbortedTransaction[] = []) =>
  new RecordSet('t', 3, from, Buffer.concat(batches), aborted)

test('a batch that was cut off at the end is left for the next fetch', () => {
  const first = batchAt(10, [['a', '1'], ['b', '2']]) // prettier-ignore
  const second = batchAt(12, [['c', '3']])
  for (const length of [1, 12, 60, 61, second.length - 1]) {
    const set = setOf([first, second.subarray(0, length)], 10)
    assert.equal(set.nextOffset, 12)
    assert.deepEqual(texts(set), ['10 a=1', '11 b=2'])
  }
  const alone = setOf([second.subarray(0, 70)], 12)
  assert.equal(alone.nextOffset, 12)
  assert.deepEqual(texts(alone), [])
})

test('emptied batches of a compacted topic hand nothing out and move the offset', () => {
  const set = setOf([emptiedBatch(0, 40), batchAt(40, [['a', '1']]), emptiedBatch(41, 9)])
  assert.deepEqual(texts(set), ['40 a=1'])
  assert.equal(set.nextOffset, 50)
  const alone = setOf([emptiedBatch(100, 1)], 100)
  assert.deepEqual(texts(alone), [])
  assert.equal(alone.nextOffset, 101)
})

test('records before the asked offset are not handed out again', () => {
  const set = setOf([batchAt(5, [['a', '1'], ['b', '2'], ['c', '3']])], 6) // prettier-ignore
  assert.deepEqual(texts(set), ['6 b=2', '7 c=3'])
})

test('a set can be cut before an offset', () => {
  const set = setOf([batchAt(0, [['a', '1'], ['b', '2']]), batchAt(2, [['c', '3']])]) // prettier-ignore
  assert.deepEqual(texts(set.before(1)), ['0 a=1'])
  assert.equal(set.before(1).nextOffset, 1)
  assert.deepEqual(texts(set.before(2)), ['0 a=1', '1 b=2'])
  assert.deepEqual(texts(set.before(9)), texts(set))
  assert.equal(set.before(9).nextOffset, 3)
})

test('a set can be iterated again, and left in the middle', () => {
  const set = setOf([batchAt(0, [['a', '1'], ['b', '2']]), marker(2, 7n, 'commit'), batchAt(3, [['c', '3']])]) // prettier-ignore
  for (const record of set) if (record.offset === 1) break
  assert.deepEqual(texts(set), ['0 a=1', '1 b=2', '3 c=3'])
  assert.deepEqual(texts(set), ['0 a=1', '1 b=2', '3 c=3'])
})

test('control records are not handed out, and a data record with a key of four zero bytes is', () => {
  const zeroKey = Buffer.alloc(4)
  const set = setOf([
    batchAt(0, [[zeroKey, 'data']], { transactional: true }),
    batchAt(1, [['x', 'y']], { transactional: true }),
    marker(2, 7n, 'commit'),
    marker(3, 8n, 'abort'),
  ])
  assert.deepEqual(texts(set), ['0 \0\0\0\0=data', '1 x=y'])
  assert.equal(set.nextOffset, 4)
})

test('a data record that looks like an abort marker does not end the filtering', () => {
  const zeroKey = Buffer.alloc(4)
  const inTransaction = { producerId: 1n, transactional: true }
  const set = setOf(
    [
      batchAt(0, [[zeroKey, 'aborted']], inTransaction),
      batchAt(1, [['x', 'aborted']], inTransaction),
      marker(2, 1n, 'abort'),
      batchAt(3, [['x', 'kept']], inTransaction),
      marker(4, 1n, 'commit'),
    ],
    0,
    [{ producerId: 1n, firstOffset: 0 }],
  )
  assert.deepEqual(texts(set), ['3 x=kept'])
})

test('aborted transactions of several producers that overlap are all left out, in whatever order they are listed', () => {
  const by = (producerId: bigint) => ({ producerId, transactional: true })
  const batches = [
    batchAt(0, [['a', 'gone']], by(1n)),
    batchAt(1, [['b', 'gone']], by(2n)),
    batchAt(2, [['c', 'gone']], by(3n)),
    batchAt(3, [['d', 'kept']], by(4n)),
    batchAt(4, [['e', 'plain']]),
    batchAt(5, [['a', 'gone']], by(1n)),
    marker(6, 2n, 'abort'),
    batchAt(7, [['b', 'kept']], by(2n)),
    marker(8, 4n, 'commit'),
    marker(9, 3n, 'abort'),
    marker(10, 1n, 'abort'),
    marker(11, 2n, 'commit'),
  ]
  const aborted = [
    { producerId: 2n, firstOffset: 1 },
    { producerId: 3n, firstOffset: 2 },
    { producerId: 1n, firstOffset: 0 },
  ]
  for (const list of [aborted, aborted.toReversed()])
    assert.deepEqual(texts(setOf(batches, 0, list)), ['3 d=kept', '4 e=plain', '7 b=kept'])
  // Both began before the fetch, as the broker tells when reading goes on in the middle.
  assert.deepEqual(texts(setOf(batches.slice(4), 4, aborted)), ['4 e=plain', '7 b=kept'])
})

test('any log of interleaved transactions yields what was committed, from any offset on', () => {
  const step = fc.record({
    producer: fc.integer({ min: 1, max: 4 }),
    act: fc.constantFrom('write', 'write', 'write', 'commit', 'abort', 'plain'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), fc.boolean(), (steps, start, reversed) => {
      const log: Buffer[] = []
      const open = new Map<number, number[]>()
      const aborted: (AbortedTransaction & { endOffset: number })[] = []
      const committed: number[] = []
      const end = (producer: number, act: 'commit' | 'abort') => {
        const offsets = open.get(producer)
        if (!offsets) return
        open.delete(producer)
        if (act === 'commit') committed.push(...offsets)
        else aborted.push({ producerId: BigInt(producer), firstOffset: offsets[0]!, endOffset: log.length })
        log.push(marker(log.length, BigInt(producer), act))
      }
      for (const { producer, act } of steps) {
        const offset = log.length
        if (act === 'plain') {
          committed.push(offset)
          log.push(batchAt(offset, [['k', 'plain']], { producerId: 9n }))
        } else if (act === 'write') {
          open.set(producer, [...(open.get(producer) ?? []), offset])
          log.push(batchAt(offset, [['k', 'v']], { producerId: BigInt(producer), transactional: true }))
        } else end(producer, act)
      }
      for (const producer of [...open.keys()]) end(producer, 'commit')
      const from = Math.min(start, log.length)
      const listed = aborted.filter(({ endOffset }) => endOffset >= from)
      if (reversed) listed.reverse()
      const set = setOf(log.slice(from), from, listed)
      assert.deepEqual(
        Array.from(set, ({ offset }) => offset),
        committed.filter((offset) => offset >= from).sort((a, b) => a - b),
      )
      assert.equal(set.nextOffset, log.length)
    }),
    { numRuns: 500 },
  )
})

test('a batch that does not match its checksum is not read', () => {
  const batch = batchAt(0, [['a', '1']])
  for (const at of [21, 40, batch.length - 1]) {
    const damaged = Buffer.from(batch)
    damaged[at]! ^= 0x40
    assert.throws(() => texts(setOf([damaged])), { remedy: 'transient', code: 'corrupt_batch' })
  }
})

test('an older message format and an unknown codec are fatal', () => {
  const old = batchAt(0, [['a', '1']])
  old.writeInt8(1, 16)
  assert.throws(() => setOf([old]), { remedy: 'fatal', code: 'unknown_format' })
  const zstd = changed(batchAt(0, [['a', '1']]), (bytes) => bytes.writeInt16BE(4, 21))
  assert.throws(() => texts(setOf([zstd])), { remedy: 'fatal', code: 'unknown_codec', message: /zstd/ })
})

test('a topic with the time of appending gives that time to every record', () => {
  const batch = changed(
    batchAt(0, [
      ['a', '1'],
      ['b', '2'],
    ]),
    (bytes) => {
      // prettier-ignore
      bytes.writeInt16BE(bytes.readInt16BE(21) | 0x08, 21)
      bytes.writeBigInt64BE(1_800_000_000_000n, 35)
    },
  )
  assert.deepEqual(
    Array.from(setOf([batch]), ({ timestampMs }) => timestampMs),
    [1_800_000_000_000, 1_800_000_000_000],
  )
})
