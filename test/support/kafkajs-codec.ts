import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'
import { compress, decompress } from '../../src/kafka/codec.ts'

/**
 * kafkajs' own record batches, as a witness that shares no code with ours but the LZ4 library (which kafkajs lacks).
 */
const { CompressionCodecs, CompressionTypes } = kafkajs
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder: { buffer: Buffer }) => Promise.resolve(compress(encoder.buffer)),
  decompress: (bytes: Buffer) => Promise.resolve(decompress(CompressionTypes.LZ4, bytes)),
})

const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object
const Long = require('kafkajs/src/utils/long') as { fromValue(value: string | number): object }
const decode = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<WitnessBatch>
const { RecordBatch: encode } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>
}
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object

export interface WitnessBatch {
  firstOffset: string
  lastOffsetDelta: number
  producerId: string
  producerEpoch: number
  firstSequence: number
  inTransaction: boolean
  records: {
    offset: string
    timestamp: string
    key: Buffer | null
    value: Buffer | null
    headers: Record<string, Buffer>
  }[]
}

/** One batch as kafkajs reads it. */
export const decodeWithKafkajs = (bytes: Buffer): Promise<WitnessBatch> => decode(new Decoder(bytes))

export interface WitnessRecord {
  key: Buffer | null
  value: Buffer | null
  headers?: Record<string, Buffer>
  /** Milliseconds from the batch's first timestamp. */
  timestampDelta?: number
}

/** One batch as kafkajs writes it. */
export async function encodeWithKafkajs(
  codec: 'none' | 'gzip' | 'lz4',
  firstOffset: number,
  firstTimestamp: number,
  records: readonly WitnessRecord[],
): Promise<Buffer> {
  const { buffer } = await encode({
    compression: { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, lz4: CompressionTypes.LZ4 }[
      codec
    ],
    firstOffset: Long.fromValue(firstOffset),
    firstTimestamp,
    maxTimestamp: firstTimestamp,
    lastOffsetDelta: records.length - 1,
    records: records.map(({ key, value, headers = {}, timestampDelta = 0 }, offsetDelta) =>
      encodeRecord({ offsetDelta, timestampDelta, key, value, headers }),
    ),
  })
  return buffer
}
