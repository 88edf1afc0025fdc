import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { GroupMember } from '../../src/kafka/group.ts'
import { runReader } from '../../src/kafka/reader.ts'
import { silentLog } from '../../src/log.ts'
import type { Cleanup } from './cleanup.ts'
import { type TestKafka, until } from './kafka.ts'
import { readCommitted } from './kafkajs-reader.ts'
import { keysWithRepeats, runFirstOfEachKey, type StageWatch, writeKeys } from './stage.ts'

/** A producer, a stage that passes the first record of each key, and a reader that stores what comes out. */
export interface Flow {
  input: string
  output: string
  partitions: number
  /** The group of the stage. */
  groupId: string
  stage: GroupMember
  /** Keys that the reader has stored so far. */
  stored: () => number
  /** Starts one more member of the stage, which finds the brokers at `brokers` if they are given. */
  join: (brokers?: readonly string[]) => GroupMember
  /** Writes keys in small portions, each acknowledged before the next. */
  write: (keys: readonly string[]) => Promise<void>
  /** Waits until everything has arrived; then the input holds what was written, the output and the store each key once. */
  assertOnce: (written: readonly string[], distinct: readonly string[], limitMs?: number) => Promise<void>
}

const partitions = 4
const portion = 150

/** How a flow differs from the usual. */
export interface FlowOptions {
  /** Where an independent reader finds the brokers, if not where the flow does. */
  witness?: readonly string[]
  /** Of the members of the stage. */
  sessionTimeoutMs?: number
  /** What is seen of the first member of the stage. */
  watch?: StageWatch
}

export async function startFlow(
  t: Cleanup,
  { kafka, topic, group }: TestKafka,
  { witness = kafka.brokers, sessionTimeoutMs, watch }: FlowOptions = {},
): Promise<Flow> {
  const groupId = group('stage')
  const [input, output] = [await topic('in', partitions), await topic('out', partitions)]
  const stored: string[] = []
  const positions = new Map<number, number>()
  const members: GroupMember[] = []
  const start = (brokers: readonly string[], watch?: StageWatch) => {
    const stage = runFirstOfEachKey(
      {
        kafka: { ...kafka, brokers },
        groupId,
        inputs: [input],
        output,
        ...(sessionTimeoutMs !== undefined && { sessionTimeoutMs }),
      },
      watch,
    )
    members.push(stage)
    return stage
  }
  const stage = start(kafka.brokers, watch)
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
    groupId,
    stage,
    stored: () => stored.length,
    join: (brokers = kafka.brokers) => start(brokers),
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

/**
 * Writes again and again from before `disturb` begins until it has ended, and waits for all of it; see `assertOnce`.
 * Resolves to the number of keys written.
 */
export async function underLoad(flow: Flow, disturb: () => Promise<void>): Promise<number> {
  const written: string[] = []
  const different: string[] = []
  let isOver = false
  const writing = (async () => {
    for (let round = 0; !isOver; round++) {
      const { keys, distinct } = keysWithRepeats(600, `${round}-`)
      written.push(...keys)
      different.push(...distinct)
      await flow.write(keys)
      await delay(300) // leaves the processor to those who are disturbed
    }
  })()
  await until('records flow', () => flow.stored() > 0)
  await Promise.race([disturb(), writing])
  isOver = true
  await writing
  await flow.assertOnce(written, different)
  return written.length
}
