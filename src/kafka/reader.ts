import type { Logger } from '../log.ts'
import { Connection } from './connection.ts'
import { Fetcher } from './fetch.ts'
import { GroupMember } from './group.ts'
import { topicOffsets } from './offsets.ts'
import { openPlace, type StoredPlace } from './place.ts'
import type { RecordSet } from './record-set.ts'
import type { Pulse } from './watchdog.ts'
import type { KafkaConnection } from './wire.ts'

/** While there is nothing to write, the store is asked so often whether it still has what it was given. */
const lookEveryMs = 3_000

/** The topic to carry, and the store to carry it into. */
export interface ReaderOptions {
  kafka: KafkaConnection
  log: Logger
  groupId: string
  topic: string
  /** Where to begin a partition. */
  position: (partition: number) => Promise<StoredPlace>
  /**
   * Stores the records together with `records.nextOffset`, idempotently. `transient` makes the same records come again,
   * without those before `turn.reached` where the group keeps the place.
   */
  write: (records: RecordSet, turn: Turn) => Promise<void>
}

/** One write of a store, as it may be told of and ended. */
export interface Turn {
  /** Aborts when the partition goes to another member or the process ends: what takes long is left for the next one. */
  readonly signal: AbortSignal
  /**
   * In the middle of a set: everything before this offset is safe. Where the group keeps the place this resolves when it
   * has it, and throws ChatfeedError `transient` when it does not take it.
   */
  reached(offset: number): Promise<void>
}

/**
 * Carries a topic into a store. The group shares the partitions; the truth about what was read lies in the store, or
 * where the store can keep no offsets, in the group.
 */
export function runReader(options: ReaderOptions): GroupMember {
  const { kafka, log, groupId, topic } = options
  const member: GroupMember = new GroupMember({
    kafka,
    log,
    groupId,
    topics: [topic],
    work: async (partition, signal, pulse) => {
      const connection = new Connection(kafka, log, signal)
      try {
        await readPartition(options, member, connection, partition, signal, pulse)
      } finally {
        await connection.close()
      }
    },
  })
  return member
}

async function readPartition(
  { log, groupId, topic, position, write }: ReaderOptions,
  member: GroupMember,
  connection: Connection,
  partition: number,
  signal: AbortSignal,
  pulse: Pulse,
): Promise<void> {
  await connection.know([topic])
  const place = await openPlace({ log, member, connection, groupId, topic, partition, position })
  const turn: Turn = {
    signal,
    async reached(offset) {
      pulse.well()
      if (place.isInGroup) await place.moved(offset)
    },
  }
  try {
    let next =
      place.offset ?? (await topicOffsets(connection, topic, 'earliest', [partition])).get(partition) ?? 0
    const fetcher = new Fetcher(connection)
    fetcher.seek(topic, partition, next)
    let lookedAt = Date.now()
    while (!signal.aborted) {
      place.rest(next)
      const sets = await fetcher.poll(signal)
      if (sets.length > 0) fetcher.ahead()
      for (const records of sets) {
        await write(records, turn)
        next = records.nextOffset
        await place.moved(next)
        pulse.well()
      }
      if (sets.length > 0) continue
      if (Date.now() - lookedAt > lookEveryMs) {
        lookedAt = Date.now()
        await place.look()
      }
      if (fetcher.trouble === null) pulse.well()
      else pulse.ill(fetcher.trouble)
    }
  } finally {
    await place.end()
  }
}
