import { createHash } from 'node:crypto'
import type { Message } from '../../model.ts'

/** What is not for readers of the files: Hive and DuckDB pass over names with an underscore. */
export const ownFolder = '_chatfeed/'

/** A short name for a stream, the same on every machine. */
export function streamName(stream: string): string {
  return createHash('sha256').update(stream).digest('hex').slice(0, 12)
}

/** The folders that a message goes to: its provider, and the day (UTC) on which it was sent. */
export function folderOf({ provider, sentAt }: Pick<Message, 'provider' | 'sentAt'>): string {
  return `provider=${encodeURIComponent(provider)}/date=${dayOf(sentAt)}`
}

/** Whether a key is that of a file that some sink of this type made. */
export function isDataKey(key: string): boolean {
  return /^provider=[^/]+\/date=[^/]+\/\d+-\d+(-[\da-f]{12})?\.(ndjson|avro|parquet)$/.test(key)
}

const dayMs = 86_400_000
let lastDay = NaN
let lastText = ''

/** Most messages are of the day of the one before. */
function dayOf(sentAt: number): string {
  const day = Math.floor(sentAt / dayMs)
  if (day !== lastDay) {
    const date = new Date(day * dayMs)
    lastText = Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString().replace(/T.*/, '')
    lastDay = day
  }
  return lastText
}
