import type { GroupMember } from '../kafka/group.ts'

/** A running role: a consumer group member and the topics it drains. */
export interface RunningRole {
  name: string
  groupId: string
  inputs: readonly string[]
  member: GroupMember
  /** A sink that gathers is behind on purpose. */
  gathers?: boolean
}
