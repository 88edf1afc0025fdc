import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError } from '../../errors.ts'
import type { RateBudget, UnreadPoll, UnreadReading } from '../provider.ts'
import type { EasemobClient } from './rest/client.ts'
import type { EasemobConfig } from './config.ts'
import { asNumber, asObject } from './message/records.ts'
import { memberOf, type Reply } from './rest/reply.ts'
import { encodeStrictly } from './rest/http.ts'
import { judgeUnread } from './rest/verdicts.ts'

/**
 * The limit of the history does not count these calls, and what the service allows here is far more (facts: Easemob docs
 * DOC23).
 */
const distanceMs = 100
/** A longer pause is not waited out: nobody would see why the call hangs. */
const longestWaitMs = 1_000

/** Asks for the offline messages of users, one call a user (facts: Easemob docs SEED1; real answers in QA). */
export function unreadPoll(
  { users, every }: NonNullable<EasemobConfig['unread']>,
  client: Pick<EasemobClient, 'get'>,
): UnreadPoll {
  const budget = spaced(distanceMs)
  return {
    users,
    everyMs: every,
    read: async (user, signal) => {
      const name = encodeStrictly(user)
      if (name === null) return { count: null, reason: 'this is no user name' }
      const { reply, verdict } = await client.get(`users/${name}/offline_msg_count`, judgeUnread, signal, {
        budget,
      })
      return verdict.verdict === 'ready' ? countOf(reply) : { count: null, reason: verdict.reason }
    },
  }
}

/** Lets calls go one after another, never two within `ms`; during a pause `take` is `throttled`. */
function spaced(ms: number): RateBudget {
  let freeAtMs = 0
  let pausedUntilMs = 0
  return {
    take: async (signal) => {
      signal?.throwIfAborted()
      const nowMs = performance.now()
      const restMs = Math.ceil(pausedUntilMs - nowMs)
      if (restMs > longestWaitMs) throw pausing(restMs)
      const waitMs = freeAtMs - nowMs
      freeAtMs = Math.max(freeAtMs, nowMs) + ms
      if (waitMs <= 0) return
      await delay(waitMs, undefined, { signal }).catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : error
      })
    },
    pause: (restMs) => {
      pausedUntilMs = Math.max(pausedUntilMs, performance.now() + restMs)
      freeAtMs = Math.max(freeAtMs, pausedUntilMs)
    },
  }
}

function pausing(retryAfterMs: number): ChatfeedError {
  const message = 'Easemob: no calls for unread counts for a while, the service holds them back.'
  return new ChatfeedError('transient', 'throttled', message, { retryAfterMs })
}

/** `data` maps each of the user's queues to its count; newer answers tell the sum beside it. */
function countOf({ frame }: Reply): UnreadReading {
  const data = asObject(memberOf(frame, 'data'))
  if (data === undefined) return { count: null, reason: 'the answer holds no counts' }
  const queues: [name: string, count: number][] = []
  for (const [name, value] of Object.entries(data)) {
    const count = asCount(value)
    if (count === null) return { count: null, reason: 'the answer holds a count that is no number' }
    queues.push([name, count])
  }
  const sum =
    queues.length > 0
      ? queues.reduce((total, [, count]) => total + count, 0)
      : asCount(memberOf(frame, 'count'))
  if (sum === null) return { count: null, reason: 'the answer names no queue of the user' }
  return { count: sum, queues: Object.fromEntries(queues) }
}

function asCount(value: unknown): number | null {
  const count = asNumber(value)
  return count !== null && Number.isSafeInteger(count) && count >= 0 ? count : null
}
