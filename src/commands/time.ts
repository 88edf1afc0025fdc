import { durationOrTime, sinceMs } from '../duration.ts'
import { ChatfeedError } from '../errors.ts'

/** A moment on the command line, `2h` ago or a time with its zone, to epoch ms, 0 at least. Throws ChatfeedError `usage`. */
export function parseTime(text: string): number {
  const since = durationOrTime.safeParse(text)
  // Kafka reads negative times as words of its own.
  if (since.success) return Math.max(0, sinceMs(since.data, Date.now()))
  throw new ChatfeedError('fatal', 'usage', `${text} is no time.`, {
    mend: 'Write 2026-11-23T10:00:00+08:00, or 2h for two hours ago.',
  })
}
