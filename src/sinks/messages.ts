import type { Codec } from '../avro.ts'
import type { RecordSet } from '../kafka/record-set.ts'
import type { Message } from '../model.ts'
import { ownValue } from '../own-record.ts'

/**
 * The messages in a set of `messages` records. Throws ChatfeedError `fatal` (`foreign_record`) when it comes to what is
 * no message: left out, it would be lost unseen.
 */
export function* messagesOf(codec: Codec<Message>, records: RecordSet): Generator<Message> {
  for (const record of records) {
    const message = ownValue(codec, 'message', record, records)
    if (message) yield message
  }
}
