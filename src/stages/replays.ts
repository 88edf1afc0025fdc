import type { RecordHeader } from '../kafka/record-batch.ts'
import type { RecordView } from '../kafka/record-set.ts'

/** How often a record was put back from `dead`. Follows it from `raw.*` to `unique`, and into its letter when it dies again. */
const name = 'chatfeed.replays'
const never: readonly RecordHeader[] = []

/** The header for a count of replays; none where there were none. */
export function replaysHeader(replays: number): readonly RecordHeader[] {
  return replays === 0 ? never : [{ key: name, value: Buffer.from(String(replays)) }]
}

/** The count in the headers of a record; 0 where there is none, or no number. */
export function replaysIn(headers: ReadonlyMap<string, Buffer>): number {
  const replays = Number(headers.get(name)?.toString() ?? 0)
  return Number.isSafeInteger(replays) && replays > 0 ? replays : 0
}

/** What a letter keeps of the headers of a record. */
export function replaysOf(record: RecordView): readonly RecordHeader[] {
  // The count of headers: all that a record pays that was never replayed.
  if (record.buffer[record.headersAt] === 0) return never
  return replaysHeader(replaysIn(record.headers()))
}
