import type { TopicSpec } from '../kafka/topics.ts'

/**
 * The topic that a sink writes, as it is created: kept as long as the cluster keeps topics, and with room for messages
 * that are larger as JSON. One that is there may have more partitions, and any settings.
 */
export function sinkTopicSpec(name: string, partitions: number, replicationFactor: number | null): TopicSpec {
  const config = { 'compression.type': 'producer', 'max.message.bytes': String(16 << 20) }
  return { name, partitions, orMore: true, replicationFactor, config }
}
