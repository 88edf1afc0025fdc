import type { Connection } from '../kafka/connection.ts'
import { committedOffsets, topicOffsets } from '../kafka/offsets.ts'
import { metrics } from '../metrics.ts'

/** How far a group is behind on one topic, in records; markers of transactions count until they are stepped over. */
export interface Lag {
  group: string
  topic: string
  lag: number
}

/**
 * Lag of a group on a topic, per partition summed up, and shown as a metric; to the last committed record, or with
 * `end` to the last one written, whose transaction may still be on its way to being visible.
 */
export async function measureLag(
  connection: Connection,
  group: string,
  topic: string,
  to: 'latest' | 'end' = 'latest',
): Promise<Lag> {
  await connection.know([topic])
  const [ends, starts, committed] = await Promise.all([
    topicOffsets(connection, topic, to),
    topicOffsets(connection, topic, 'earliest'),
    committedOffsets(connection, group, topic),
  ])
  let lag = 0
  for (const [partition, end] of ends) {
    const behind = Math.max(0, end - Math.max(committed.get(partition) ?? 0, starts.get(partition) ?? 0))
    metrics.lag.set({ group, topic, partition: String(partition) }, behind)
    lag += behind
  }
  return { group, topic, lag }
}
