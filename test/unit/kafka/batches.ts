import { checksum } from '../../../src/kafka/codec.ts'
import { encodeBatch, RecordBatchWriter } from '../../../src/kafka/record-batch.ts'
import type { RecordSet } from '../../../src/kafka/record-set.ts'

export interface BatchOptions {
  producerId?: bigint
  transactional?: boolean
  timestampMs?: number
}

/** A batch of records `key=value` as it lies in a broker's log, from this offset on. */
export function batchAt(
  baseOffset: number,
  records: readonly [Buffer | string | null, Buffer | string | null][],
  options: BatchOptions = {},
): Buffer {
  const { producerId = 7n, transactional = false, timestampMs = 1_795_000_000_000 } = options
  const writer = new RecordBatchWriter()
  const bytes = (value: Buffer | string | null) => (typeof value === 'string' ? Buffer.from(value) : value)
  for (const [key, value] of records) writer.append(bytes(key), bytes(value))
  const owner = { producerId, producerEpoch: 0, baseSequence: 0, transactional }
  const batch = encodeBatch(writer.seal(timestampMs), owner)
  batch.writeBigInt64BE(BigInt(baseOffset), 0)
  return batch
}

/** The control batch that ends a transaction. */
export function marker(baseOffset: number, producerId: bigint, outcome: 'commit' | 'abort'): Buffer {
  const key = Buffer.from([0, 0, 0, outcome === 'commit' ? 1 : 0])
  const batch = batchAt(baseOffset, [[key, Buffer.alloc(6)]], { producerId, transactional: true })
  return changed(batch, (bytes) => bytes.writeInt16BE(bytes.readInt16BE(21) | 0x20, 21))
}

/** What compaction leaves of a batch whose records are all gone: a head that still covers the offsets. */
export function emptiedBatch(baseOffset: number, offsets: number): Buffer {
  const batch = batchAt(baseOffset, [['k', 'v']]).subarray(0, 61)
  return changed(Buffer.from(batch), (bytes) => {
    bytes.writeInt32BE(61 - 12, 8)
    bytes.writeInt16BE(0, 21)
    bytes.writeInt32BE(offsets - 1, 23)
    bytes.writeInt32BE(0, 57)
  })
}

/** The batch with some bytes of its head changed and a CRC that fits again. */
export function changed(batch: Buffer, change: (bytes: Buffer) => void): Buffer {
  change(batch)
  batch.writeUInt32BE(checksum(batch.subarray(21)), 17)
  return batch
}

/** Offset, key and value of every record, as text. */
export const texts = (records: RecordSet): string[] =>
  Array.from(
    records,
    (record) => `${record.offset} ${record.key()?.toString() ?? ''}=${record.value()?.toString() ?? ''}`,
  )
