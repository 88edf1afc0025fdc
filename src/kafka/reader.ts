import { withDeadline } from '../deadline.ts'
import { ChatfeedError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { unlessAborted } from './abort.ts'
import { Connection } from './connection.ts'
import { kafkaError } from './kafka-error.ts'
import { Fetcher } from './fetch.ts'
import { GroupMember } from './group.ts'
import { OffsetDisplay } from './offset-display.ts'
import { topicOffsets } from './offsets.ts'
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
  /** Where to begin a partition: the offset kept with the data, null for the beginning. */
  position(partition: number): Promise<number | null>
  /** Stores the records together with `records.nextOffset`, idempotently. `transient` makes the same records come again. */
  write(records: RecordSet): Promise<void>
  /** Present for a store that `write` only gathers records for. */
  gathering?: Gathering | undefined
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
 * Carries a topic into a store that keeps its own offsets. The group shares the partitions and shows the lag;
 * the truth about what was read lies in the store.
 */
export function runReader(options: ReaderOptions): GroupMember {
  const { kafka, log, groupId, topic } = options
  const member: GroupMember = new GroupMember({
    kafka,
    log,
    groupId,
    topics: [topic],
    work: (partition, signal, pulse) => readPartition(options, member, partition, signal, pulse),
  })
  return member
}

async function readPartition(
  options: ReaderOptions,
  member: GroupMember,
  partition: number,
  signal: AbortSignal,
  pulse: Pulse,
): Promise<void> {
  const { kafka, log, groupId, topic, gathering } = options
  const connection = new Connection(kafka, log, signal)
  const display = new OffsetDisplay((offset) => show(options, member, connection, partition, offset))
  try {
    await connection.know([topic])
    let stored = await options.position(partition)
    const begin =
      stored ?? (await topicOffsets(connection, topic, 'earliest', [partition])).get(partition) ?? 0
    let next = begin
    /** Since when records wait to be stored. */
    let gatheredAt: number | null = null
    const note = () => {
      const before = stored
      stored = gathering ? gathering.storedTo(partition) : next
      if (stored !== before) gatheredAt = null
      if (next > (stored ?? begin)) gatheredAt ??= Date.now()
      display.tell(stored ?? begin)
    }
    const fetcher = new Fetcher(connection)
    fetcher.seek(topic, partition, next)
    let lookedAt = Date.now()
    while (!signal.aborted) {
      display.tell(stored ?? begin)
      const sets = await fetcher.poll(signal)
      if (sets.length > 0) fetcher.ahead()
      for (const records of sets) {
        await options.write(records)
        next = records.nextOffset
        note()
        pulse.well()
      }
      if (gathering && gatheredAt !== null && isDue(gathering, gatheredAt, sets.length === 0)) {
        await gathering.flush(partition)
        note()
        pulse.well()
      }
      if (sets.length > 0) continue
      if (Date.now() - lookedAt > lookEveryMs) {
        lookedAt = Date.now()
        if (((await options.position(partition)) ?? -1) < (stored ?? -1)) throw setBack(groupId, partition)
        display.repeat()
      }
      if (fetcher.trouble === null) pulse.well()
      else pulse.ill(fetcher.trouble)
    }
    if (gathering && gatheredAt !== null) {
      const never = new AbortController().signal
      const flushing = gathering.flush(partition)
      await withDeadline(lastFlushMs, never, (late) => unlessAborted(flushing, late))
      note()
    }
  } finally {
    await display.end()
    await connection.close()
  }
}

const isDue = ({ everyMs, whenIdle }: Gathering, sinceMs: number, isIdle: boolean): boolean =>
  (whenIdle && isIdle) || Date.now() - sinceMs >= everyMs

/** A store that was removed or restored has to be filled again, also where nothing new is to be written. */
function setBack(groupId: string, partition: number): ChatfeedError {
  return new ChatfeedError(
    'transient',
    'store_set_back',
    `The store of ${groupId} no longer has what it was given of partition ${partition}: it is given again.`,
  )
}

/** Whether the group took the offset. Only the lag display needs it; a member that is just joining or leaving cannot commit. */
async function show(
  { log, groupId, topic }: ReaderOptions,
  member: GroupMember,
  connection: Connection,
  partition: number,
  offset: number,
): Promise<boolean> {
  try {
    await member.commitOffset(connection, topic, partition, offset)
    return true
  } catch (error) {
    log.debug(
      { group: groupId, code: kafkaError(error, 'committing').code },
      'offset not yet shown to the group',
    )
    return false
  }
}
