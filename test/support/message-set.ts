import { messageCodec } from './codecs.ts'
import { encodeBatch, RecordBatchWriter } from '../../src/kafka/record-batch.ts'
import { RecordSet } from '../../src/kafka/record-set.ts'
import type { Message } from '../../src/model.ts'

/** Messages as a reader of a partition of `messages` hands them to a sink, the last one before `nextOffset`. */
export function messageSet(partition: number, messages: readonly Message[], nextOffset: number): RecordSet {
  const from = nextOffset - messages.length
  if (messages.length === 0) return new RecordSet('messages', partition, from, Buffer.alloc(0), [])
  const writer = new RecordBatchWriter()
  for (const message of messages) writer.append(Buffer.from(message.id), messageCodec.encode(message))
  const owner = { producerId: 1n, producerEpoch: 0, baseSequence: 0, transactional: false }
  const bytes = encodeBatch(writer.seal(0), owner)
  bytes.writeBigInt64BE(BigInt(from), 0)
  return new RecordSet('messages', partition, from, bytes, [])
}
