import type { RecordHeader } from '../kafka/record-batch.ts'
import type { RecordView } from '../kafka/record-set.ts'
import { replaysHeader, replaysIn } from './replays.ts'
import { filesHeaderName } from './tried.ts'

const none: readonly RecordHeader[] = []

/** What dedup passes on of the headers of a record. */
export function passedHeaders(record: RecordView): readonly RecordHeader[] {
  // The count of headers: all that a record pays that has none.
  if (record.buffer[record.headersAt] === 0) return none
  const headers = record.headers()
  const files = headers.get(filesHeaderName)
  const replays = replaysHeader(replaysIn(headers))
  return files ? [...replays, { key: filesHeaderName, value: files }] : replays
}
