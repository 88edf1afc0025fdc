import kafkajs from 'kafkajs'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

/** The name under which members agree on this way of sharing. */
export const assignorName = 'chatfeed-copartition'

/** What a member tells the leader when it joins: its topics and the partition numbers it has now. */
export function encodeSubscription(topics: readonly string[], owned: readonly number[]): Buffer {
  return MemberMetadata.encode({
    version: 1,
    topics: [...topics],
    userData: Buffer.from(JSON.stringify(owned)),
  })
}

/** The partition numbers that the leader gave to this member. */
export function decodeAssignment(bytes: Buffer, topic: string): number[] {
  return MemberAssignment.decode(bytes)?.assignment[topic] ?? []
}

/**
 * Shares partition numbers evenly: number p of every topic goes to one member, so that a task finds all its
 * inputs in one place. A member keeps what it has, up to its share.
 */
export function assign(
  members: readonly { memberId: string; memberMetadata: Buffer }[],
  topics: readonly string[],
  partitions: number,
): { memberId: string; memberAssignment: Buffer }[] {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition))
  const share = new Map(sorted.map((member) => [member.memberId, [] as number[]]))
  let larger = partitions % sorted.length
  const quota = Math.floor(partitions / sorted.length)
  for (const member of sorted) {
    const kept = ownedBy(member.memberMetadata).filter((partition) => free.has(partition))
    let limit = quota
    if (kept.length > quota && larger > 0) {
      limit++
      larger--
    }
    for (const partition of kept.slice(0, limit)) {
      free.delete(partition)
      share.get(member.memberId)!.push(partition)
    }
  }
  for (const partition of free) {
    const neediest = sorted.reduce((a, b) =>
      share.get(b.memberId)!.length < share.get(a.memberId)!.length ? b : a,
    )
    share.get(neediest.memberId)!.push(partition)
  }
  return sorted.map(({ memberId }) => ({
    memberId,
    memberAssignment: MemberAssignment.encode({
      version: 1,
      assignment: Object.fromEntries(
        topics.map((topic) => [topic, share.get(memberId)!.sort((a, b) => a - b)]),
      ),
      userData: Buffer.alloc(0),
    }),
  }))
}

function ownedBy(metadata: Buffer): number[] {
  const userData = MemberMetadata.decode(metadata)?.userData
  const owned: unknown = userData && userData.length > 0 ? JSON.parse(userData.toString()) : []
  return Array.isArray(owned) ? owned.filter((partition) => typeof partition === 'number') : []
}
