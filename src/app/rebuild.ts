import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError } from '../errors.ts'
import { Connection } from '../kafka/connection.ts'
import { committedOffsets, type PartitionOffsets, topicOffsets } from '../kafka/offsets.ts'
import { activeMembers, resetOffsets } from '../kafka/reset-group.ts'
import { rewindSink, type SinkConfig } from '../sinks/index.ts'
import { startPipeline } from './pipeline.ts'
import type { Runtime } from './runtime.ts'
import { whenStopped } from './signals.ts'

const lookEveryMs = 200

/** How far a rebuild is, in records of `messages`; `trouble` is what keeps the sink from going on now. */
export interface RebuildProgress {
  done: number
  total: number
  trouble: string | null
}

/** What is rebuilt, and who hears of it. */
export interface RebuildOptions {
  sink: SinkConfig
  /** Epoch ms: only what came into `messages` at this time or later. Null empties the store before. */
  fromMs: number | null
  signal: AbortSignal
  onProgress: (progress: RebuildProgress) => void
}

/**
 * Sets a sink back, and carries to it what lies in `messages` until now. Stopped in the middle, it can be gone on with
 * by `up`. Throws ChatfeedError `fatal` with nothing changed while another process carries to the sink.
 */
export async function rebuildSink(runtime: Runtime, options: RebuildOptions): Promise<RebuildProgress> {
  const { kafka, log, topics, clusterId } = runtime
  const { sink, fromMs, signal, onProgress } = options
  const groupId = topics.group(`sink.${sink.name}`)
  const connection = new Connection(kafka, log, signal)
  try {
    await connection.know([topics.messages])
    const others = await activeMembers(connection, groupId, kafka.clientId)
    if (others.length > 0) throw inUse(sink.name, others)
    const ends = await topicOffsets(connection, topics.messages, 'latest')
    const starts = await startsOf(connection, groupId, topics.messages, fromMs, ends)
    // First, for the group refuses it when somebody has joined meanwhile.
    await resetOffsets(connection, groupId, topics.messages, starts)
    await rewindSink(sink, `${clusterId}/${topics.messages}`, fromMs === null ? null : starts)
    const roles = { ingest: false, dedup: false, enrich: false, sinks: new Set([sink.name]) }
    // As a run that ends when nothing new comes: a sink that gathers stores then, and does not wait for its time.
    const pipeline = await startPipeline(runtime, roles, true)
    try {
      const trouble = () => pipeline.troubles()[0] ?? null
      const carried = untilCarried(
        connection,
        groupId,
        topics.messages,
        starts,
        ends,
        (done, total) => {
          onProgress({ done, total, trouble: trouble() })
        },
        signal,
      )
      await Promise.race([carried, pipeline.failed, runtime.failed, whenStopped(signal)])
      return await carried
    } finally {
      await pipeline.stop()
    }
  } finally {
    await connection.close()
  }
}

/** Where each partition begins anew: nowhere later than the group stands, or what lies between would be left out. */
async function startsOf(
  connection: Connection,
  groupId: string,
  topic: string,
  fromMs: number | null,
  ends: PartitionOffsets,
): Promise<PartitionOffsets> {
  const earliest = await topicOffsets(connection, topic, 'earliest')
  if (fromMs === null) return earliest
  const found = await topicOffsets(connection, topic, fromMs)
  if ([...found.values()].every((offset) => offset < 0)) {
    const text = 'Nothing has come into the topic messages at that time or later.'
    throw new ChatfeedError('fatal', 'usage', text, {
      mend: 'Give --from an earlier time: that of the way through Kafka counts, not that of the message.',
    })
  }
  const committed = await committedOffsets(connection, groupId, topic)
  return new Map(
    [...ends].map(([partition, end]) => {
      const offset = found.get(partition) ?? -1
      const from = offset < 0 ? end : offset
      return [partition, Math.min(from, committed.get(partition) ?? earliest.get(partition) ?? 0)]
    }),
  )
}

/** Resolves when the group has come to the ends, or with how far it came when `signal` aborts. */
async function untilCarried(
  connection: Connection,
  groupId: string,
  topic: string,
  starts: PartitionOffsets,
  ends: PartitionOffsets,
  onCount: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<RebuildProgress> {
  const sum = (count: (partition: number, end: number) => number) =>
    [...ends].reduce((whole, [partition, end]) => whole + Math.max(0, count(partition, end)), 0)
  const startOf = (partition: number) => starts.get(partition) ?? 0
  const total = sum((partition, end) => end - startOf(partition))
  for (let done = 0; ;) {
    if (!signal.aborted) {
      const committed = await committedOffsets(connection, groupId, topic)
      done = sum((partition, end) => Math.min(committed.get(partition) ?? 0, end) - startOf(partition))
      onCount(done, total)
    }
    if (done >= total || signal.aborted) return { done, total, trouble: null }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined)
  }
}

function inUse(name: string, members: readonly string[]): ChatfeedError {
  const who = [...new Set(members)].join(', ')
  return new ChatfeedError('fatal', 'sink_in_use', `Messages are being carried to ${name} now, by ${who}.`, {
    mend:
      'Stop that chatfeed up (the number is its process), or start it with --only and without this sink; ' +
      'one that was killed on another machine is forgotten after 10 s.',
  })
}
