import type { Codec } from '../avro.ts'
import { ChatfeedError } from '../errors.ts'
import { Producer } from '../kafka/producer.ts'
import type { RecordSet } from '../kafka/record-set.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import { metrics } from '../metrics.ts'
import type { Message } from '../model.ts'
import { ownValue } from '../own-record.ts'
import { letterHeaders } from '../stages/dead-letter.ts'
import { sinkStage } from '../stages/names.ts'
import type { Refuse } from './sink.ts'

/** How long Kafka is given to take a letter before the whole set comes again. */
const deadlineMs = 20_000

/** Who refuses, and where its letters go. */
export interface RefusalOptions {
  kafka: KafkaConnection
  log: Logger
  codec: Codec<Message>
  sink: string
  deadTopic: string
}

/**
 * What a sink does with a message that its store will never take. The letter lies in `dead` before the sink moves on;
 * after a crash in between the same message may be refused again, and has two letters then.
 */
export function refusal({ kafka, log, codec, sink, deadTopic }: RefusalOptions): Refuse {
  return async (records, refused, error) => {
    const found = find(codec, records, refused)
    const stage = sinkStage(sink)
    const { topic, partition } = records
    const letter = { stage, error, topic, partition, passed: [], ...found }
    const producer = await Producer.open(kafka, log, deadTopic, { deadlineMs })
    try {
      await producer.addTo(partition % producer.partitions, letter.key, letter.value, letterHeaders(letter))
      await producer.flush()
    } finally {
      await producer.close()
    }
    metrics.dead.inc({ stage, code: error.code })
    log.warn(
      { sink, id: refused.id, code: error.code },
      'the store refused a message, it is a dead letter now',
    )
  }
}

/** The record of a message. It is there: the sink met it in this set. */
function find(codec: Codec<Message>, records: RecordSet, { id, revision }: Pick<Message, 'id' | 'revision'>) {
  for (const record of records) {
    const message = ownValue(codec, 'message', record, records)
    if (message?.id !== id || message.revision !== revision) continue
    const { origin, source } = message
    return { key: record.key(), value: record.value(), offset: record.offset, origin, source }
  }
  throw new ChatfeedError('fatal', 'refused_unknown', `A sink refused ${id}, which it was not given.`)
}
