import type { Logger } from '../log.ts'
import { Connection } from './connection.ts'
import { Fetcher } from './fetch.ts'
import { GroupMember } from './group.ts'
import { committedOffsets, topicOffsets } from './offsets.ts'
import { Outbox } from './outbox.ts'
import { readRange } from './range.ts'
import type { RecordSet } from './record-set.ts'
import { TransactionalWriter } from './transaction.ts'
import type { Pulse } from './watchdog.ts'
import type { KafkaConnection } from './wire.ts'

/** The logic of a stage for one partition number. One caller, one call at a time. */
export interface StageTask {
  /** The output topic that is this task's state: its own partition is read back before the first `process`. */
  readonly stateTopic?: string
  restore?(records: RecordSet): void
  /**
   * Takes records in and adds what follows from them to `out`. Both are committed together, or the task is thrown
   * away and a new one begins from the last commit: its memory may run ahead of Kafka for that long only.
   * Throws `transient` to start anew, anything else to end the process.
   */
  process(records: RecordSet, out: Outbox): void | Promise<void>
}

/** A stage: its group, its topics, and how a task is opened. */
export interface StageOptions {
  kafka: KafkaConnection
  log: Logger
  groupId: string
  inputs: readonly string[]
  outputs: readonly string[]
  open(partition: number): StageTask
  sessionTimeoutMs?: number
}

/**
 * Runs a stage: a group whose members share partition numbers. Task p reads partition p of every input, is the
 * only writer of partition p of every output (transactional id `<group>-<p>`), and commits outputs and input
 * offsets in one transaction.
 */
export function runStage(options: StageOptions): GroupMember {
  const { kafka, log, groupId, inputs, sessionTimeoutMs } = options
  return new GroupMember({
    kafka,
    log,
    groupId,
    topics: inputs,
    work: (partition, signal, pulse) => runTask(options, partition, signal, pulse),
    ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
  })
}

/** Some thousand records: enough that the steps of a transaction cost little, few enough to be worked on in a moment. */
const fetchBytes = 1 << 20

async function runTask(
  options: StageOptions,
  partition: number,
  signal: AbortSignal,
  pulse: Pulse,
): Promise<void> {
  const { kafka, log, groupId, inputs, outputs } = options
  const connection = new Connection(kafka, log, signal)
  try {
    await connection.know([...inputs, ...outputs])
    // Fence first: what is read after this cannot be changed by an earlier owner any more.
    const writer = await TransactionalWriter.open(connection, `${groupId}-${partition}`)
    const task = options.open(partition)
    if (task.stateTopic) {
      const onPoll = (trouble: string | null) => {
        if (trouble === null) pulse.alive()
        else pulse.ill(trouble)
      }
      for await (const records of readRange(connection, task.stateTopic, partition, { signal, onPoll }))
        task.restore?.(records)
    }
    const fetcher = new Fetcher(connection, { maxPartitionBytes: fetchBytes })
    for (const input of inputs)
      fetcher.seek(input, partition, await startOffset(connection, groupId, input, partition))
    const out = new Outbox(partition)
    while (!signal.aborted) {
      const sets = await fetcher.poll(signal)
      if (sets.length === 0) {
        if (fetcher.trouble === null) pulse.well()
        else pulse.ill(fetcher.trouble)
        continue
      }
      fetcher.ahead()
      for (const records of sets) await task.process(records, out)
      const positions = sets.map(({ topic, nextOffset }) => ({ topic, partition, offset: nextOffset }))
      await writer.commit(out.take(), { groupId, positions })
      pulse.well()
    }
  } finally {
    await connection.close()
  }
}

async function startOffset(
  connection: Connection,
  groupId: string,
  topic: string,
  partition: number,
): Promise<number> {
  const committed = (await committedOffsets(connection, groupId, topic, [partition])).get(partition)
  return committed ?? (await topicOffsets(connection, topic, 'earliest', [partition])).get(partition) ?? 0
}
