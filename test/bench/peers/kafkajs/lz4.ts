/** Gives kafkajs the codec it lacks, by the library's own frame functions. */
import kafkajs from 'kafkajs'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'

const { CompressionCodecs, CompressionTypes } = kafkajs
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder: { buffer: Buffer }) => Promise.resolve(compressFrameSync(encoder.buffer)),
  decompress: (bytes: Buffer) => Promise.resolve(decompressFrameSync(bytes)),
})
