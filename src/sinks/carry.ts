import { messageCodec } from '../avro.ts'
import type { RecordSet } from '../kafka/record-set.ts'
import { metrics } from '../metrics.ts'
import type { Message } from '../model.ts'
import { ownValue } from '../own-record.ts'
import type { Sink } from './sink.ts'

/**
 * Puts a set of `messages` records into a sink, together with the offset to go on from. Throws ChatfeedError
 * `fatal` (`foreign_record`) on what is no message, with nothing written: left out, it would be lost unseen.
 */
export async function carry(records: RecordSet, sink: Sink): Promise<void> {
  const messages: Message[] = []
  for (const record of records) {
    const message = ownValue(messageCodec, 'message', record, records)
    if (message) messages.push(message)
  }
  await sink.write(records.partition, messages, records.nextOffset)
  const now = Date.now()
  for (const message of messages)
    metrics.delay.observe({ stage: `sink:${sink.name}` }, (now - message.fetchedAt) / 1_000)
  metrics.sinkRows.inc({ sink: sink.name }, messages.length)
  metrics.processed.inc({ stage: `sink:${sink.name}` }, messages.length)
}
