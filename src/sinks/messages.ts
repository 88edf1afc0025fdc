import type { Codec } from '../avro.ts'
import type { RecordSet, RecordView } from '../kafka/record-set.ts'
import type { Message } from '../model.ts'
import { ownValue } from '../own-record.ts'
import { taking, type Where } from './where.ts'

/**
 * Reads the messages in a set of `messages` records that a sink takes. Throws ChatfeedError `fatal` (`foreign_record`)
 * when it comes to what is no message: left out, it would be lost unseen.
 */
export type MessageReader = (records: RecordSet) => Generator<Message>

/** The same with the record of each, which is valid until the next step. */
export type PlacedMessageReader = (records: RecordSet) => Generator<PlacedMessage>

/** A message and the record that it lies in. */
export interface PlacedMessage {
  record: RecordView
  message: Message
}

/** A reader of those messages that `where` does not leave out. */
export function messageReader(codec: Codec<Message>, where?: Where): MessageReader {
  const placed = placedMessageReader(codec, where)
  return function* (records) {
    for (const { message } of placed(records)) yield message
  }
}

/** The same, of messages with their records. */
export function placedMessageReader(codec: Codec<Message>, where?: Where): PlacedMessageReader {
  const takes = taking(where)
  return function* (records) {
    for (const record of records) {
      const message = ownValue(codec, 'message', record, records)
      if (message && (takes === null || takes(message))) yield { record, message }
    }
  }
}
