import assert from 'node:assert/strict'
import type { GroupMember } from '../../src/kafka/group.ts'
import { runReader } from '../../src/kafka/reader.ts'
import { silentLog } from '../../src/log.ts'
import type { Cleanup } from './cleanup.ts'
import { type TestKafka, until } from './kafka.ts'
import { readCommitted } from './kafkajs-reader.ts'
import { runFirstOfEachKey, writeKeys } from './stage.ts'

/** A producer, a stage that passes the first record of each key, and a reader that stores what comes out. */
export interface Flow {
  input: string
  output: string
  partitions: number
  stage: GroupMember
  /** Keys that the reader has stored so far. */
  stored: () => number
  /** Starts one more member of the stage. */
  join: () => GroupMember
  /** Writes keys in small portions, each acknowledged before the next. */
  write: (keys: readonly string[]) => Promise<void>
  /** Waits until everything has arrived; then the input holds what was written, the output and the store each key once. */
  assertOnce: (written: readonly string[], distinct: readonly string[], limitMs?: number) => Promise<void>
}

const partitions = 4
const portion = 150

/** `witness`: where an independent reader finds the brokers, if not where the flow does. */
export async function startFlow(
  t: Cleanup,
  { kafka, topic, group }: TestKafka,
  witness: readonly string[] = kafka.brokers,
): Promise<Flow> {
  const [input, output] = [await topic('in', partitions), await topic('out', partitions)]
  const stored: string[] = []
  const positions = new Map<number, number>()
  const members: GroupMember[] = []
  const join = () => {
    const stage = runFirstOfEachKey({ kafka, groupId: group('stage'), inputs: [input], output })
    members.push(stage)
    return stage
  }
  const stage = join()
  const reader = runReader({
    kafka,
    log: silentLog,
    groupId: group('sink'),
    topic: output,
    position: (partition) => Promise.resolve(positions.get(partition) ?? null),
    write: (records) => {
      for (const record of records) stored.push(record.key()!.toString())
      positions.set(records.partition, records.nextOffset)
      return Promise.resolve()
    },
  })
  members.push(reader)
  t.after(() => Promise.allSettled(members.map((member) => member.stop())))
  const keysOf = async (name: string) => (await readCommitted(witness, name)).map(({ key }) => key)
  return {
    input,
    output,
    partitions,
    stage,
    stored: () => stored.length,
    join,
    async write(keys) {
      for (let at = 0; at < keys.length; at += portion)
        await writeKeys(kafka, input, keys.slice(at, at + portion))
    },
    async assertOnce(written, distinct, limitMs = 60_000) {
      const complete = until('the store has every key', () => stored.length >= distinct.length, limitMs)
      await Promise.race([complete, ...members.map((member) => member.done.then(() => complete))])
      assert.deepEqual((await keysOf(input)).sort(), written.toSorted())
      assert.deepEqual((await keysOf(output)).sort(), distinct.toSorted())
      assert.deepEqual(stored.toSorted(), distinct.toSorted())
    },
  }
}
