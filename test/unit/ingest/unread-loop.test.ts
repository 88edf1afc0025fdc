import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError } from '../../../src/errors.ts'
import { runUnread } from '../../../src/ingest/unread-loop.ts'
import { silentLog } from '../../../src/log.ts'
import type { UnreadCount } from '../../../src/model.ts'
import type { UnreadReading } from '../../../src/providers/provider.ts'

type Read = (user: string, attempt: number) => UnreadReading

/** Runs the loop until `enough`; answers what was recorded. */
async function recorded(
  users: string[],
  read: Read,
  once: boolean,
  enough = Infinity,
): Promise<UnreadCount[]> {
  const stopping = new AbortController()
  const attempts = new Map<string, number>()
  const counts: UnreadCount[] = []
  await runUnread(
    {
      source: { name: 'support', tenant: 'acme#desk' },
      poll: {
        users,
        everyMs: 5,
        read(user) {
          const attempt = (attempts.get(user) ?? 0) + 1
          attempts.set(user, attempt)
          return Promise.resolve().then(() => read(user, attempt))
        },
      },
      log: silentLog,
      signal: stopping.signal,
      now: () => 1_000,
      record(count) {
        counts.push(count)
        if (counts.length === enough) stopping.abort()
        return Promise.resolve()
      },
    },
    once,
  )
  return counts
}

const common = { source: 'support', tenant: 'acme#desk', observedAt: 1_000 }

test('every user is recorded with the count and its queues, an unknown one with the reason', async () => {
  const read: Read = (user) =>
    user === 'nobody'
      ? { count: null, reason: 'there is no user nobody' }
      : { count: 5, queues: { lin: 3, 'lin/pad': 2 } }
  assert.deepEqual(await recorded(['lin', 'nobody'], read, true), [
    { ...common, user: 'lin', count: 5, queues: { lin: 3, 'lin/pad': 2 }, reason: null },
    { ...common, user: 'nobody', count: null, queues: {}, reason: 'there is no user nobody' },
  ])
})

test('the counts are asked for again and again', async () => {
  const counts = await recorded(['lin'], (_, attempt) => ({ count: attempt, queues: {} }), false, 3)
  assert.deepEqual(
    counts.map(({ count }) => count),
    [1, 2, 3],
  )
})

test('a fault that passes is tried again; one that stays is left out, and the next user is asked for', async () => {
  const read: Read = (user, attempt) => {
    if (user === 'away' || attempt < 2)
      throw new ChatfeedError('transient', 'unreachable', 'No answer.', { retryAfterMs: 1 })
    return { count: attempt, queues: {} }
  }
  const counts = await recorded(['away', 'lin'], read, true)
  assert.deepEqual(
    counts.map(({ user, count }) => [user, count]),
    [['lin', 2]],
  )
})

test('one user whose count must wait long does not keep the others waiting', async () => {
  const read: Read = (user) => {
    if (user === 'later')
      throw new ChatfeedError('transient', 'throttled', 'Too many calls.', { retryAfterMs: 3_600_000 })
    return { count: 1, queues: {} }
  }
  assert.deepEqual(
    (await recorded(['later', 'lin'], read, true)).map(({ user }) => user),
    ['lin'],
  )
})

test('what the account may not ask for is recorded as the reason, and ends nothing', async () => {
  const read: Read = () => {
    throw new ChatfeedError('fatal', 'refused', 'The token has no right to ask.')
  }
  const [count] = await recorded(['lin'], read, true)
  assert.equal(count?.count, null)
  assert.match(count?.reason ?? '', /no right to ask/)
})
