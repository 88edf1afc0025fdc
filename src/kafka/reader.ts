import type { Logger } from '../log.ts'
import { Connection } from './connection.ts'
import { kafkaError } from './kafka-error.ts'
import { Fetcher } from './fetch.ts'
import { GroupMember } from './group.ts'
import { topicOffsets } from './offsets.ts'
import type { RecordSet } from './record-set.ts'
import type { Pulse } from './watchdog.ts'
import type { KafkaConnection } from './wire.ts'

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
  const { kafka, log, topic } = options
  const connection = new Connection(kafka, log, signal)
  try {
    await connection.know([topic])
    const start =
      (await options.position(partition)) ??
      (await topicOffsets(connection, topic, 'earliest', [partition])).get(partition) ??
      0
    const fetcher = new Fetcher(connection)
    fetcher.seek(topic, partition, start)
    let next = start
    let shown = -1
    while (!signal.aborted) {
      if (shown !== next && (await show(options, member, connection, partition, next))) shown = next
      const sets = await fetcher.poll(signal)
      for (const records of sets) {
        await options.write(records)
        next = records.nextOffset
        pulse.well()
      }
      if (sets.length > 0) continue
      if (fetcher.trouble === null) pulse.well()
      else pulse.ill(fetcher.trouble)
    }
  } finally {
    await connection.close()
  }
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
