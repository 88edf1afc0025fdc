import { withDeadline } from '../deadline.ts'
import type { Logger } from '../log.ts'
import { unlessAborted } from './abort.ts'
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
  /** Present for a store that `write` only gathers records for. */
  gathering?: Gathering | undefined
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

/** How a store that gathers records is made to store them. */
export interface Gathering {
  /** How long records may wait. */
  everyMs: number
  /** Not longer than until nothing new comes: for a run that ends then. */
  whenIdle: boolean
  /** Stores what was gathered of a partition; throws as `write` does, and then forgets it. */
  flush(partition: number): Promise<void>
  /** The offset up to which all is stored, also where `write` did that by the way; null while that is not known. */
  storedTo(partition: number): number | null
}

/** When the reader ends, so long is given to storing what was gathered; otherwise it comes again. */
const lastFlushMs = 4_000

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
  { log, groupId, topic, position, write, gathering }: ReaderOptions,
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
  /** Since when gathered records wait to be stored. */
  let gatheredAt: number | null = null
  try {
    let next =
      place.offset ?? (await topicOffsets(connection, topic, 'earliest', [partition])).get(partition) ?? 0
    /** Everything before this is in the store. */
    let stored = next
    const moveTo = async (offset: number): Promise<void> => {
      if (offset > stored) gatheredAt = null
      await place.moved((stored = offset))
      if (next > stored) gatheredAt ??= Date.now()
    }
    const fetcher = new Fetcher(connection)
    fetcher.seek(topic, partition, next)
    let lookedAt = Date.now()
    while (!signal.aborted) {
      place.rest(stored)
      const sets = await fetcher.poll(signal)
      if (sets.length > 0) fetcher.ahead()
      for (const records of sets) {
        await write(records, turn)
        next = records.nextOffset
        await moveTo(gathering ? (gathering.storedTo(partition) ?? stored) : next)
        pulse.well()
      }
      if (gathering && gatheredAt !== null && isDue(gathering, gatheredAt, sets.length === 0)) {
        await gathering.flush(partition)
        await moveTo(gathering.storedTo(partition) ?? stored)
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
    if (gathering && gatheredAt !== null) {
      const never = new AbortController().signal
      const flushing = gathering.flush(partition)
      await withDeadline(lastFlushMs, never, (late) => unlessAborted(flushing, late))
      await moveTo(gathering.storedTo(partition) ?? stored)
    }
  } finally {
    await place.end()
  }
}

const isDue = ({ everyMs, whenIdle }: Gathering, sinceMs: number, isIdle: boolean): boolean =>
  (whenIdle && isIdle) || Date.now() - sinceMs >= everyMs
