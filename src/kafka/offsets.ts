import type { Connection } from './connection.ts'
import { isolation } from './wire.ts'

/** Offsets of the partitions of one topic, by partition number. */
export type PartitionOffsets = Map<number, number>

const timestamps = { latest: -1, end: -1, earliest: -2 } as const

/**
 * Where each partition begins (`earliest`), where its committed records end (`latest`: the last stable offset), where
 * it ends with what open transactions have written (`end`),
 * or the first offset at or after a time (epoch ms); -1 when there is none.
 */
export async function topicOffsets(
  connection: Connection,
  topic: string,
  at: 'earliest' | 'latest' | 'end' | number,
  partitions = allPartitions(connection, topic),
): Promise<PartitionOffsets> {
  const timestamp = typeof at === 'number' ? at : timestamps[at]
  const offsets: PartitionOffsets = new Map()
  await connection.retry(`offsets of ${topic}`, async () => {
    const byLeader = new Map<number, number[]>()
    for (const partition of partitions) {
      const leader = connection.leader(topic, partition)
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
    }
    for (const [nodeId, led] of byLeader) {
      const broker = await connection.cluster.findBroker({ nodeId })
      const { responses } = await broker.listOffsets({
        replicaId: -1,
        isolationLevel: at === 'end' ? isolation.readUncommitted : isolation.readCommitted,
        topics: [{ topic, partitions: led.map((partition) => ({ partition, timestamp })) }],
      })
      for (const answer of responses)
        for (const { partition, offset } of answer.partitions) offsets.set(partition, Number(offset))
    }
  })
  return offsets
}

/** The committed offsets of a group; partitions without one are absent. */
export async function committedOffsets(
  connection: Connection,
  groupId: string,
  topic: string,
  partitions = allPartitions(connection, topic),
): Promise<PartitionOffsets> {
  const { responses } = await connection.retry(`offsets of group ${groupId}`, async () => {
    const coordinator = await connection.groupCoordinator(groupId)
    return coordinator.offsetFetch({
      groupId,
      topics: [{ topic, partitions: partitions.map((partition) => ({ partition })) }],
    })
  })
  const offsets: PartitionOffsets = new Map()
  for (const answer of responses) {
    for (const { partition, offset } of answer.partitions)
      if (Number(offset) >= 0) offsets.set(partition, Number(offset))
  }
  return offsets
}

function allPartitions(connection: Connection, topic: string): number[] {
  return Array.from({ length: connection.partitions(topic) }, (_, partition) => partition)
}
