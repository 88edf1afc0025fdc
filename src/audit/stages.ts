import { setTimeout as delay } from 'node:timers/promises'
import type { Connection } from '../kafka/connection.ts'
import { committedOffsets, type PartitionOffsets, topicOffsets } from '../kafka/offsets.ts'

/** Offsets by topic name. */
export type Offsets = ReadonlyMap<string, PartitionOffsets>

/** A stage and how far it is asked to come. */
export interface Stage {
  /** `dedup`, `enrich` or `sink:NAME`. */
  name: string
  groupId: string
  ends: Offsets
}

/** How a stage stood when the audit went on without it. */
export interface Standing {
  stage: string
  /** Records before the ends that it has not come to; 0 for a stage that is well. */
  behind: number
  /** Where it would go on. */
  next: Offsets
}

/** How long a stage may rest, and who hears of the wait. */
export interface Patience {
  patienceMs: number
  signal: AbortSignal
  onWait: (stage: string, behind: number) => void
}

const everyMs = 100

/**
 * Waits until a stage has passed the ends, for as long as it comes nearer: a stage at work is given its time, one that
 * has stopped is not waited for.
 */
export async function awaitStage(
  connection: Connection,
  stage: Stage,
  { patienceMs, signal, onWait }: Patience,
): Promise<Standing> {
  let least = Infinity
  for (let progressAt = Date.now(); ;) {
    const standing = await measure(connection, stage)
    if (standing.behind < least) {
      least = standing.behind
      progressAt = Date.now()
    }
    if (standing.behind === 0 || signal.aborted || Date.now() - progressAt >= patienceMs) return standing
    onWait(stage.name, standing.behind)
    await delay(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

async function measure(connection: Connection, { name, groupId, ends }: Stage): Promise<Standing> {
  const next = new Map<string, PartitionOffsets>()
  let behind = 0
  for (const [topic, topicEnds] of ends) {
    const [starts, committed] = await Promise.all([
      topicOffsets(connection, topic, 'earliest'),
      committedOffsets(connection, groupId, topic),
    ])
    const positions: PartitionOffsets = new Map()
    for (const [partition, end] of topicEnds) {
      const position = Math.max(committed.get(partition) ?? 0, starts.get(partition) ?? 0)
      positions.set(partition, position)
      behind += Math.max(0, end - position)
    }
    next.set(topic, positions)
  }
  return { stage: name, behind, next }
}

/**
 * The offsets up to which a topic can be read of those asked for. What a stage has just committed is visible in a
 * moment; a transaction that nobody ends holds back what is behind it, and is not waited for.
 */
export async function awaitVisible(
  connection: Connection,
  topic: string,
  ends: PartitionOffsets,
  { patienceMs, signal }: Pick<Patience, 'patienceMs' | 'signal'>,
): Promise<PartitionOffsets> {
  for (const deadline = Date.now() + patienceMs; ;) {
    const stable = await topicOffsets(connection, topic, 'latest')
    const isVisible = [...ends].every(([partition, end]) => (stable.get(partition) ?? 0) >= end)
    if (isVisible || signal.aborted || Date.now() > deadline)
      return new Map(
        [...ends].map(([partition, end]) => [partition, Math.min(end, stable.get(partition) ?? 0)]),
      )
    await delay(everyMs, undefined, { signal }).catch(() => undefined)
  }
}

/** The way of a message, by topics and groups. */
export interface Way {
  raw: readonly string[]
  unique: string
  messages: string
  dedup: string
  enrich: string
  /** Groups by the names of their sinks. */
  sinks: ReadonlyMap<string, string>
}

/**
 * Lets what lies in `raw` now come through every stage, as far as the stages are at work. Answers up to where each
 * topic tells of it, and how the stages stood.
 */
export async function carryThrough(
  connection: Connection,
  way: Way,
  patience: Patience,
): Promise<{ ends: Offsets; standings: Standing[] }> {
  const ends = new Map<string, PartitionOffsets>()
  for (const topic of way.raw) ends.set(topic, await topicOffsets(connection, topic, 'latest'))
  const dedup = await awaitStage(connection, { name: 'dedup', groupId: way.dedup, ends }, patience)
  // Up to the end of what is written: the transaction of what was just carried may not be visible yet.
  const unique = new Map([[way.unique, await topicOffsets(connection, way.unique, 'end')]])
  const enrich = await awaitStage(connection, { name: 'enrich', groupId: way.enrich, ends: unique }, patience)
  const messages = new Map([[way.messages, await topicOffsets(connection, way.messages, 'end')]])
  const sinks = await Promise.all(
    [...way.sinks].map(([name, groupId]) =>
      awaitStage(connection, { name: `sink:${name}`, groupId, ends: messages }, patience),
    ),
  )
  for (const [topic, offsets] of [...unique, ...messages])
    ends.set(topic, await awaitVisible(connection, topic, offsets, patience))
  return { ends, standings: [dedup, enrich, ...sinks] }
}
