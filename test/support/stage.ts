import type { GroupMember } from '../../src/kafka/group.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { runStage, type StageOptions, type StageTask } from '../../src/kafka/task.ts'
import type { KafkaConnection } from '../../src/kafka/wire.ts'
import { silentLog } from '../../src/log.ts'

/** What a test sees of the tasks of a stage, and where it makes them fail. */
export interface StageWatch {
  /** Called after the records of one `process` were taken; what it throws ends the task. */
  onProcess?(partition: number, records: number): void
  onRestore?(partition: number, records: number): void
}

/** A stage like dedup: passes the first record of every key, and reads its state back from its output. */
export function runFirstOfEachKey(
  options: Pick<StageOptions, 'kafka' | 'groupId' | 'inputs' | 'sessionTimeoutMs'> & { output: string },
  watch: StageWatch = {},
): GroupMember {
  const { output, ...stage } = options
  return runStage({
    ...stage,
    log: silentLog,
    outputs: [output],
    open: (partition) => firstOfEachKey(partition, output, watch),
  })
}

function firstOfEachKey(partition: number, output: string, watch: StageWatch): StageTask {
  const seen = new Set<string>()
  return {
    stateTopic: output,
    restore(records) {
      let count = 0
      for (const record of records) {
        seen.add(record.key()!.toString())
        count++
      }
      watch.onRestore?.(partition, count)
    },
    process(records, out) {
      let count = 0
      for (const record of records) {
        const key = record.key()!
        const before = seen.size
        if (seen.add(key.toString()).size > before) out.add(output, key, record.value())
        count++
      }
      watch.onProcess?.(partition, count)
    },
  }
}

/** Writes records with these keys, each with its position as the value. */
export async function writeKeys(
  kafka: KafkaConnection,
  topic: string,
  keys: Iterable<string>,
): Promise<void> {
  const producer = await Producer.open(kafka, silentLog, topic, { batchRecords: 500 })
  try {
    let position = 0
    for (const key of keys) await producer.add(Buffer.from(key), Buffer.from(String(position++)))
    await producer.flush()
  } finally {
    await producer.close()
  }
}

/** `count` keys, every tenth a repeat of an earlier one; `distinct` says how many differ. */
export function keysWithRepeats(count: number, prefix = 'id-'): { keys: string[]; distinct: string[] } {
  const distinct: string[] = []
  const keys = Array.from({ length: count }, (_, n) => {
    if (n % 10 === 9) return distinct[(n * 7_919) % distinct.length]!
    distinct.push(`${prefix}${n}`)
    return distinct.at(-1)!
  })
  return { keys, distinct }
}
