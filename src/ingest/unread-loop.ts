import type { Codecs } from '../codecs.ts'
import { explain, isTransient } from '../errors.ts'
import { Producer } from '../kafka/producer.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import type { UnreadCount } from '../model.ts'
import type { Source, UnreadPoll, UnreadReading } from '../providers/provider.ts'
import { backOffMs, longestBackOffMs, rest } from './retry.ts'

/** What polling needs of the world around it. */
export interface UnreadOptions {
  kafka: KafkaConnection
  log: Logger
  codecs: Codecs
  unreadTopic: string
  once: boolean
  now?: () => number
}

/**
 * Polls the counts of a source, should it have any, into the topic `unread`. Never rejects: what happens to the counts
 * must not stop the messages.
 */
export async function pollUnread(options: UnreadOptions, source: Source, signal: AbortSignal): Promise<void> {
  const { kafka, log, codecs, unreadTopic, once, now = Date.now } = options
  const poll = source.unread
  while (poll && !signal.aborted) {
    let producer: Producer | undefined
    const record = async (count: UnreadCount): Promise<void> => {
      producer ??= await Producer.open(kafka, log, unreadTopic, { signal })
      // Encoded at the last moment: the codec's buffer is everybody's.
      await producer.add(Buffer.from(`${count.source}|${count.user}`), codecs.unreadCount.encode(count))
      await producer.flush()
    }
    try {
      return await runUnread({ source, poll, log, signal, now, record }, once)
    } catch (error) {
      if (signal.aborted) return
      log.warn({ source: source.name, reason: explain(error) }, 'unread counts are not recorded now')
      if (once) return
      await rest(poll.everyMs, signal)
    } finally {
      await producer?.close()
    }
  }
}

/** Takes one record of the topic `unread`; resolves when it is safe. */
export type RecordUnread = (count: UnreadCount) => Promise<void>

/** What the loop needs of the world around one source. */
export interface UnreadLoopOptions {
  source: Pick<Source, 'name' | 'tenant'>
  poll: UnreadPoll
  log: Logger
  signal: AbortSignal
  now: () => number
  record: RecordUnread
}

const attempts = 4

/**
 * Asks for the unread counts of the configured users every `everyMs`, or with `once` one time, and records each
 * answer, also that a user is unknown. A user whose count cannot be had now is left out of this round; nothing that
 * happens here stops the reading of messages. Rejects with what `record` rejects with.
 */
export async function runUnread(options: UnreadLoopOptions, once: boolean): Promise<void> {
  const { source, poll, signal, now, record } = options
  while (!signal.aborted) {
    const startedAt = now()
    for (const user of poll.users) {
      const reading = await ask(options, user)
      if (reading === null) continue
      const { count } = reading
      await record({
        source: source.name,
        tenant: source.tenant,
        user,
        count,
        queues: count === null ? {} : reading.queues,
        reason: count === null ? reading.reason : null,
        observedAt: now(),
      })
    }
    if (once) return
    await rest(startedAt + poll.everyMs - now(), signal)
  }
}

/** Null when the provider could not be asked. */
async function ask(
  { source, poll, log, signal }: UnreadLoopOptions,
  user: string,
): Promise<UnreadReading | null> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await poll.read(user, signal)
    } catch (error) {
      if (signal.aborted) break
      if (!isTransient(error)) return { count: null, reason: explain(error) }
      const waitMs = error.retryAfterMs ?? backOffMs(attempt)
      log.warn({ source: source.name, code: error.code, waitMs }, error.message)
      // Who wants a long rest is asked again in the next round: the other users do not wait for it.
      if (attempt === attempts || waitMs > longestBackOffMs) break
      await rest(waitMs, signal)
    }
  }
  return null
}
