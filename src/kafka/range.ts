import type { Connection } from './connection.ts'
import { Fetcher } from './fetch.ts'
import { topicOffsets } from './offsets.ts'
import type { RecordSet } from './record-set.ts'

/** Which part of a partition is read. */
export interface RangeOptions {
  /** The first offset; the beginning of the partition by default. */
  from?: number
  /** The offset to stop before; the end of the committed records at the time of the call by default. */
  to?: number
  signal?: AbortSignal
  /** Fetched at once, or the first batch if that is larger. */
  maxPartitionBytes?: number
  /** Hears after every poll what keeps the broker from answering; null where nothing does. */
  onPoll?: (trouble: string | null) => void
}

/** Reads part of one partition without a consumer group; ends at `to`, or early when `signal` aborts. */
export async function* readRange(
  connection: Connection,
  topic: string,
  partition: number,
  options: RangeOptions = {},
): AsyncGenerator<RecordSet> {
  const { signal, maxPartitionBytes = 4 << 20 } = options
  const from =
    options.from ?? (await topicOffsets(connection, topic, 'earliest', [partition])).get(partition) ?? 0
  const to = options.to ?? (await topicOffsets(connection, topic, 'latest', [partition])).get(partition) ?? 0
  const fetcher = new Fetcher(connection, { maxPartitionBytes })
  fetcher.seek(topic, partition, from)
  for (let next = from; next < to && !signal?.aborted;) {
    const sets = await fetcher.poll(signal)
    options.onPoll?.(fetcher.trouble)
    for (const records of sets) {
      next = records.nextOffset
      yield next > to ? records.before(to) : records
    }
  }
}
