import { messageJson } from '../message-json.ts'
import type { PlacedMessage } from '../messages.ts'

/** One message, ready to go. */
export interface Outgoing {
  offset: number
  id: string
  revision: number
  fetchedAt: number
  json: string
}

/** How batches are cut. */
export interface Cut {
  /** Most messages of a batch. */
  count: number
  /** Most characters of JSON, but for a single message. */
  length: number
  /** Where a batch that begins at this offset has to end, because it was sent so before. */
  endOf: (firstOffset: number) => number | undefined
}

/**
 * The messages of a set in order, cut by count and size alone: read again from the same place, the same batches come
 * out, but for the last one, which may have grown.
 */
export function* batches(
  messages: Iterable<PlacedMessage>,
  { count, length, endOf }: Cut,
): Generator<Outgoing[]> {
  let batch: Outgoing[] = []
  let size = 0
  let end: number | undefined
  for (const { record, message } of messages) {
    const { offset } = record
    const { id, revision, fetchedAt } = message
    const outgoing = { offset, id, revision, fetchedAt, json: messageJson(message) }
    const isOver = end !== undefined && offset > end
    if (batch.length > 0 && (isOver || batch.length === count || size + outgoing.json.length > length)) {
      yield batch
      batch = []
      size = 0
    }
    if (batch.length === 0) end = endOf(offset)
    batch.push(outgoing)
    size += outgoing.json.length + 1
  }
  if (batch.length > 0) yield batch
}
