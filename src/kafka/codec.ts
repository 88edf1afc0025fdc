import { gunzipSync } from 'node:zlib'
import { crc32c } from '@node-rs/crc32'
import { ChatfeedError } from '../errors.ts'
import { compressFrame, decompressFrame } from './lz4-frame.ts'

/** Codec numbers of the record batch attributes. */
const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

/** chatfeed writes LZ4: on chat lines a third of the size for about 1 µs a message. */
export const writtenCodec = codecs.lz4

/** Deflates the records of a batch with `writtenCodec`. */
export const compress = (records: Buffer): Buffer => compressFrame(records)

/** Inflates the records of a batch. Throws ChatfeedError `fatal` for a codec that chatfeed does not read. */
export function decompress(codec: number, records: Buffer): Buffer {
  switch (codec) {
    case codecs.none:
      return records
    case codecs.lz4:
      return decompressFrame(records)
    case codecs.gzip:
      return gunzipSync(records)
    default: {
      const name = Object.entries(codecs).find(([, number]) => number === codec)?.[0] ?? `codec ${codec}`
      throw new ChatfeedError(
        'fatal',
        'unknown_codec',
        `A record batch is compressed with ${name}, which chatfeed does not read.`,
        {
          mend: 'Set compression.type=producer on the topic, and write to it with LZ4, gzip or no compression.',
        },
      )
    }
  }
}

/** CRC-32C, continued from `previous`. */
export const checksum = (bytes: Buffer, previous = 0): number => crc32c(bytes, previous)
