import type { Codec } from './avro.ts'
import { ChatfeedError, isTransient } from './errors.ts'
import type { RecordSet, RecordView } from './kafka/record-set.ts'

/**
 * The value of a record in a topic that chatfeed alone writes, whose readers cannot go on without it; undefined where
 * it has none. Throws ChatfeedError `fatal` (`foreign_record`) with the place on what is no `kind`, `registry_needed`
 * where it names a schema of a registry and none is configured, and `transient` as the codec does.
 */
export function ownValue<T>(
  codec: Codec<T>,
  kind: string,
  record: RecordView,
  { topic, partition }: RecordSet,
): T | undefined {
  const value = record.value()
  try {
    return value ? codec.decode(value) : undefined
  } catch (cause) {
    if (isTransient(cause)) throw cause
    const at = `partition ${partition}, offset ${record.offset}`
    if (cause instanceof ChatfeedError && cause.code === 'registry_needed') {
      const { code, message, mend = '' } = cause
      throw new ChatfeedError('fatal', code, `Topic ${topic}, ${at}: ${message}`, { cause, mend })
    }
    throw new ChatfeedError('fatal', 'foreign_record', `Topic ${topic} holds no ${kind} at ${at}.`, {
      cause,
      mend:
        'Another program writes into this topic, or a newer chatfeed: update this one, ' +
        'or give it topics of its own with kafka.topicPrefix.',
    })
  }
}
