import { ChatfeedError } from '../errors.ts'
import type { Logger } from '../log.ts'
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
}

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
  const { kafka, log, groupId, topic } = options
  const connection = new Connection(kafka, log, signal)
  const display = new OffsetDisplay((offset) => show(options, member, connection, partition, offset))
  try {
    await connection.know([topic])
    let stored = await options.position(partition)
    let next = stored ?? (await topicOffsets(connection, topic, 'earliest', [partition])).get(partition) ?? 0
    const fetcher = new Fetcher(connection)
    fetcher.seek(topic, partition, next)
    let lookedAt = Date.now()
    while (!signal.aborted) {
      display.tell(next)
      const sets = await fetcher.poll(signal)
      if (sets.length > 0) fetcher.ahead()
      for (const records of sets) {
        await options.write(records)
        next = stored = records.nextOffset
        display.tell(next)
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
  } finally {
    await display.end()
    await connection.close()
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
