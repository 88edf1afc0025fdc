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
  /**
   * What the task does of its own accord: called after every poll, also while nothing comes in. Adds what has come
   * ready to `out`, which is committed like what `process` adds, and must not wait.
   */
  tick?(out: Outbox): void
  /** Ends what the task has under way besides; called once, when it is thrown away or told to end. */
  close?(): Promise<void>
}

/** What a task can use of its surroundings. */
export interface TaskPlace {
  /** Aborts when the task is told to end: what waits for long then throws, and the same records come again. */
  signal: AbortSignal
  /** Reads back records of the task's own partition of a topic that `StageOptions` names; ends early on the signal. */
  read(topic: string, from: number, to: number, signal: AbortSignal): AsyncGenerator<RecordSet>
}

/** A stage: its group, its topics, and how a task is opened. */
export interface StageOptions {
  kafka: KafkaConnection
  log: Logger
  groupId: string
  inputs: readonly string[]
  outputs: readonly string[]
  open(partition: number, place: TaskPlace): StageTask
  /** How much is taken in at once: less where a record can take long. */
  fetchBytes?: number
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
const usualFetchBytes = 1 << 20

/** Enough for a batch or two: single records are read back. */
const rereadBytes = 64 << 10

async function runTask(
  options: StageOptions,
  partition: number,
  signal: AbortSignal,
  pulse: Pulse,
): Promise<void> {
  const { kafka, log, groupId, inputs, outputs, fetchBytes = usualFetchBytes } = options
  const connection = new Connection(kafka, log, signal)
  let task: StageTask | undefined
  try {
    await connection.know([...inputs, ...outputs])
    // Fence first: what is read after this cannot be changed by an earlier owner any more.
    const writer = await TransactionalWriter.open(connection, `${groupId}-${partition}`)
    task = options.open(partition, {
      signal,
      read: (topic, from, to, signal) =>
        readRange(connection, topic, partition, { from, to, signal, maxPartitionBytes: rereadBytes }),
    })
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
      } else {
        fetcher.ahead()
        for (const records of sets) await task.process(records, out)
        const positions = sets.map(({ topic, nextOffset }) => ({ topic, partition, offset: nextOffset }))
        await writer.commit(out.take(), { groupId, positions })
        pulse.well()
      }
      if (!task.tick) continue
      task.tick(out)
      const outputs = out.take()
      if (outputs.length > 0) await writer.commit(outputs)
    }
  } finally {
    await task?.close?.()
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
