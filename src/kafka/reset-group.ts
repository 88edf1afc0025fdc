import { ChatfeedError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { evictDeadNeighbours } from './neighbours.ts'
import type { PartitionOffsets } from './offsets.ts'
import type { KafkajsError } from './wire.ts'

/** The client ids of the members of a group; those whose process on this machine is dead are taken out of it before. */
export function activeMembers(connection: Connection, groupId: string, clientId: string): Promise<string[]> {
  return connection.retry(`members of ${groupId}`, async () => {
    const coordinator = await connection.groupCoordinator(groupId)
    await evictDeadNeighbours(coordinator, groupId, clientId, connection.log)
    const { groups } = await coordinator.describeGroups({ groupIds: [groupId] })
    return (groups[0]?.members ?? []).map((member) => member.clientId)
  })
}

/**
 * Commits offsets in the name of a group that nobody is a member of. Throws ChatfeedError `fatal` (`group_active`),
 * with nothing changed, when somebody is.
 */
export async function resetOffsets(
  connection: Connection,
  groupId: string,
  topic: string,
  offsets: Readonly<PartitionOffsets>,
): Promise<void> {
  const partitions = [...offsets].map(([partition, offset]) => ({
    partition,
    offset: String(offset),
    metadata: '',
  }))
  await connection.retry(`setting back ${groupId}`, async () => {
    const coordinator = await connection.groupCoordinator(groupId)
    const nobody = { groupGenerationId: -1, memberId: '' }
    try {
      await coordinator.offsetCommit({ groupId, ...nobody, topics: [{ topic, partitions }] })
    } catch (error) {
      throw refused(error) ?? error
    }
  })
}

function refused(cause: unknown): ChatfeedError | null {
  const { type = '' } = cause as KafkajsError
  if (!['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'].includes(type)) return null
  return new ChatfeedError('fatal', 'group_active', 'Somebody has just joined the group of the sink.', {
    cause,
  })
}
