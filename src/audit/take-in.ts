import { topicOffsets } from '../kafka/offsets.ts'
import type { Topics } from '../topics.ts'
import { loadAccepted, loadLetters, loadMessages, type LoadOptions, loadRaw, type Part } from './load.ts'
import type { AuditProgress } from './progress.ts'
import { goneBeforeMs, isBoundedInBytes } from './retention.ts'
import { awaitVisible, type Offsets } from './stages.ts'

/** The provider's clock may be ahead of ours. */
const clockSlackMs = 3_600_000

/** What is taken in, beside where it goes. */
export interface TakeInOptions extends Omit<LoadOptions, 'onRead'> {
  topics: Topics
  /** Up to where `raw.*`, `unique` and `messages` are read. */
  ends: Offsets
  /** The settings of each topic that are in force. */
  settings: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Of `raw.*` nothing older is asked for, epoch ms. */
  fromMs: number | null
  patienceMs: number
  onProgress: (progress: AuditProgress) => void
}

/**
 * Reads the topics into the tables in the order of a message's way: what was met in one is in the next by then. Answers
 * the moments, epoch ms, before which each of them may have let go of records in due time; 0 for one that keeps all.
 */
export async function takeIn(options: TakeInOptions): Promise<ReadonlyMap<string, number>> {
  const { tables, topics, settings, onProgress } = options
  const parts: Part[] = []
  for (const topic of tables.topics.keys()) parts.push(await partOf(options, topic))
  const total = parts.reduce((sum, part) => sum + sizeOf(part), 0)
  const gone = new Map<string, number>()
  let done = 0
  for (const part of parts) {
    const name = tables.topics[part.topic]!
    const onRead = (offsets: number) => {
      onProgress({ step: `reading ${name}`, done: (done += offsets), total })
    }
    const load = loaders(topics).get(name) ?? loadRaw
    const { oldestMs } = await load({ ...options, onRead }, part)
    gone.set(name, goneBeforeMs(settings.get(name), oldestMs, Date.now()))
  }
  return gone
}

const loaders = ({ unique, messages, dead }: Topics) =>
  new Map([
    [unique, loadAccepted],
    [messages, loadMessages],
    [dead, loadLetters],
  ])

async function partOf(options: TakeInOptions, topic: number): Promise<Part> {
  const { connection, ends } = options
  const name = options.tables.topics[topic]!
  const to =
    ends.get(name) ??
    (await awaitVisible(connection, name, await topicOffsets(connection, name, 'end'), options))
  const isRaw = !loaders(options.topics).has(name)
  const { fromMs } = options
  // The oldest record must be seen where it tells how far back the topic goes.
  if (!isRaw || fromMs === null || isBoundedInBytes(options.settings.get(name)))
    return { topic, from: await topicOffsets(connection, name, 'earliest'), to }
  const since = await topicOffsets(connection, name, Math.max(0, fromMs - clockSlackMs))
  const nothing = -1
  const from = [...to].map(([partition, end]): [number, number] => {
    const offset = since.get(partition) ?? nothing
    return [partition, offset === nothing ? end : offset]
  })
  return { topic, from: new Map(from), to }
}

function sizeOf({ from, to }: Part): number {
  return [...to].reduce((sum, [partition, end]) => sum + Math.max(0, end - (from.get(partition) ?? 0)), 0)
}
