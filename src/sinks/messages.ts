import type { Codec } from '../avro.ts'
import type { RecordSet } from '../kafka/record-set.ts'
import type { Message } from '../model.ts'
import { ownValue } from '../own-record.ts'
import { taking, type Where } from './where.ts'

/**
 * Reads the messages in a set of `messages` records that a sink takes. Throws ChatfeedError `fatal` (`foreign_record`)
 * when it comes to what is no message: left out, it would be lost unseen.
 */
export type MessageReader = (records: RecordSet) => Generator<Message>

/** A reader of those messages that `where` does not leave out. */
export function messageReader(codec: Codec<Message>, where?: Where): MessageReader {
  const takes = taking(where)
  return function* (records) {
    for (const record of records) {
      const message = ownValue(codec, 'message', record, records)
      if (message && (takes === null || takes(message))) yield message
    }
  }
}
