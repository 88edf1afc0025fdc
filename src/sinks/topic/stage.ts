import { ChatfeedError } from '../../errors.ts'
import { describeCluster } from '../../kafka/describe.ts'
import { ensureTopics } from '../../kafka/topics.ts'
import { metrics } from '../../metrics.ts'
import { deadLetter } from '../../stages/dead-letter.ts'
import { sinkStage } from '../../stages/names.ts'
import { messageJson } from '../message-json.ts'
import type { SinkStage, StageContext } from '../sink-type.ts'
import { sinkTopicSpec } from '../sink-topic.ts'
import type { TopicConfig } from './config.ts'

/** A batch has a head, and a record as well. */
const headBytes = 1_000
const patienceMs = 60_000

/**
 * Makes the topic where it is missing. Throws ChatfeedError: `fatal` when it has fewer partitions than `messages`, for
 * task p writes partition p.
 */
export async function openTopicStage(
  { name, topic }: TopicConfig,
  context: StageContext,
): Promise<SinkStage> {
  const { kafka, log, deadTopic, partitions, replicationFactor } = context
  await ensureTopics(kafka, log, [sinkTopicSpec(topic, partitions, replicationFactor)])
  const { topics } = await describeCluster(kafka, log, [topic], { deadlineMs: patienceMs })
  const mostBytes = Number(topics.get(topic)?.config.get('max.message.bytes') ?? Infinity) - headBytes
  const stage = sinkStage(name)
  const delays = metrics.delay.of(stage)
  return {
    outputs: [topic, deadTopic],
    open: () => ({
      process(records, out) {
        const now = Date.now()
        let written = 0
        for (const { record, message } of context.placedMessagesOf(records)) {
          const { id, origin, source, fetchedAt } = message
          const key = Buffer.from(id)
          const value = Buffer.from(messageJson(message))
          if (key.length + value.length > mostBytes) {
            const error = tooLarge(topic, value.length, mostBytes)
            const { partition } = records
            const place = { topic: records.topic, partition, offset: record.offset }
            deadLetter(out, deadTopic, {
              stage,
              key,
              value: record.value(),
              error,
              origin,
              source,
              passed: [],
              ...place,
            })
            continue
          }
          out.add(topic, key, value)
          delays.add((now - fetchedAt) / 1_000)
          written++
        }
        metrics.sinkRows.inc({ sink: name }, written)
        metrics.processed.inc({ stage }, written)
      },
    }),
  }
}

function tooLarge(topic: string, bytes: number, mostBytes: number): ChatfeedError {
  const text = `As JSON the message has ${bytes} bytes, and ${topic} takes ${mostBytes} at most.`
  return new ChatfeedError('message', 'record_too_large', text)
}
