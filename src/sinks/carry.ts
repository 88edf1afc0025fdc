import type { Turn } from '../kafka/reader.ts'
import type { RecordSet } from '../kafka/record-set.ts'
import { metrics } from '../metrics.ts'
import { sinkStage } from '../stages/names.ts'
import type { Sink } from './sink.ts'

/** Puts a set of `messages` records into a sink, and counts them. Throws what `Sink.write` throws. */
export async function carry(records: RecordSet, sink: Sink, turn?: Turn): Promise<void> {
  count(sink, await sink.write(records, turn))
}

/** Makes a sink store what it has gathered of a partition, and counts it. Throws what `Sink.flush` throws. */
export async function flush(partition: number, sink: Sink): Promise<void> {
  count(sink, (await sink.flush?.(partition)) ?? [])
}

function count(sink: Sink, fetchedAt: readonly number[]): void {
  const now = Date.now()
  const stage = sinkStage(sink.name)
  const delays = metrics.delay.of(stage)
  for (const at of fetchedAt) delays.add((now - at) / 1_000)
  metrics.sinkRows.inc({ sink: sink.name }, fetchedAt.length)
  metrics.processed.inc({ stage }, fetchedAt.length)
}
