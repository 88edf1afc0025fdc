import { ChatfeedError } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Connection } from './connection.ts'
import type { GroupMember } from './group.ts'
import { kafkaError } from './kafka-error.ts'
import { OffsetDisplay } from './offset-display.ts'
import { committedOffsets } from './offsets.ts'

/**
 * Where a store says that the reading of a partition goes on: the offset kept with the data, null for the beginning, or
 * `group` where the store can keep none, so that the committed offset of the group is the place.
 */
export type StoredPlace = number | null | 'group'

/** The keeper of the place that a reader has come to in one partition. */
export interface Place {
  /** The group keeps it, and not the store. */
  readonly isInGroup: boolean
  /** The offset to read next; null for the beginning. */
  readonly offset: number | null
  /** Everything before this offset is in the store. */
  moved(offset: number): Promise<void>
  /** Nothing happens now: looks whether the place is still what it was. Throws ChatfeedError `transient` if not. */
  look(): Promise<void>
  /** At rest at this offset, whether or not it is kept. */
  rest(offset: number): void
  end(): Promise<void>
}

/** What a place is kept for. */
export interface PlaceOptions {
  log: Logger
  member: GroupMember
  connection: Connection
  groupId: string
  topic: string
  partition: number
  /** Asks the store. */
  position: (partition: number) => Promise<StoredPlace>
}

/** Asks the store where it stands, and finds out who keeps the place. */
export async function openPlace(options: PlaceOptions): Promise<Place> {
  const stored = await options.position(options.partition)
  return stored === 'group' ? groupPlace(options) : storePlace(options, stored)
}

/** The truth lies in the store; the group is only shown it, for the sake of the lag. */
function storePlace(options: PlaceOptions, stored: number | null): Place {
  const { log, member, connection, groupId, topic, partition } = options
  /** Whether the group took the offset: a member that is just joining or leaving cannot commit. */
  const display = new OffsetDisplay(async (offset) => {
    try {
      await member.commitOffset(connection, topic, partition, offset)
      return true
    } catch (error) {
      const { code } = kafkaError(error, 'committing')
      log.debug({ group: groupId, code }, 'offset not yet shown to the group')
      return false
    }
  })
  return {
    isInGroup: false,
    get offset() {
      return stored
    },
    moved(offset) {
      stored = offset
      display.tell(offset)
      return Promise.resolve()
    },
    async look() {
      const now = await options.position(partition)
      if (now === 'group' || (now ?? -1) < (stored ?? -1)) throw setBack(groupId, partition)
      display.repeat()
    },
    rest: (offset) => {
      display.tell(offset)
    },
    end: () => display.end(),
  }
}

/** The group keeps the place: what it has not taken is not counted, and comes again. */
async function groupPlace(options: PlaceOptions): Promise<Place> {
  const { member, connection, groupId, topic, partition } = options
  const committed = await committedOffsets(connection, groupId, topic, [partition])
  let offset = committed.get(partition) ?? null
  return {
    isInGroup: true,
    get offset() {
      return offset
    },
    async moved(next) {
      await member.commitPlace(connection, topic, partition, next)
      offset = next
    },
    // The member that had the partition before may have finished its last write, and committed a lower offset since.
    async look() {
      if (offset !== null) await member.commitPlace(connection, topic, partition, offset)
    },
    rest: () => undefined,
    end: () => Promise.resolve(),
  }
}

/** A store that was removed or restored has to be filled again, also where nothing new is to be written. */
function setBack(groupId: string, partition: number): ChatfeedError {
  return new ChatfeedError(
    'transient',
    'store_set_back',
    `The store of ${groupId} no longer has what it was given of partition ${partition}: it is given again.`,
  )
}
