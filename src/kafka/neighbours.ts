import type { Logger } from '../log.ts'
import { kafkaError } from './kafka-error.ts'
import type { Broker } from './wire.ts'

/**
 * Takes members out of the group whose process on this machine is dead (client ids end in `@host:pid`), so that a
 * restart after kill -9 need not wait for their session to run out. Call it only before the first generation: a member
 * that is mistaken about its neighbours, in a container that shares the host's name, then disturbs them once.
 */
export async function evictDeadNeighbours(
  coordinator: Broker,
  groupId: string,
  clientId: string,
  log: Logger,
): Promise<void> {
  const host = clientId.slice(clientId.indexOf('@'), clientId.lastIndexOf(':') + 1)
  if (!host) return
  try {
    const { groups } = await coordinator.describeGroups({ groupIds: [groupId] })
    for (const member of groups[0]?.members ?? []) {
      const at = member.clientId.indexOf(host)
      if (at >= 0 && !isAlive(Number(member.clientId.slice(at + host.length))))
        await coordinator.leaveGroup({ groupId, memberId: member.memberId })
    }
  } catch (error) {
    // Another member may have been quicker; if not, the session runs out by itself.
    log.debug({ group: groupId, code: kafkaError(error, 'looking for dead members').code }, 'not evicted')
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
