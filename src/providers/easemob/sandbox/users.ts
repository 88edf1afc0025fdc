import { agents, people } from '../../../sandbox/phrases.ts'
import { Random } from '../../../sandbox/random.ts'
import { hourMs } from '../hours.ts'

const users: ReadonlySet<string> = new Set([...people, ...agents].map(({ id }) => id))

/**
 * Messages waiting for a user, by queue; null for a user who does not exist. It changes every minute and is empty for
 * many; some users have a second queue.
 */
export function offlineCounts(user: string, seed: number, nowMs: number): Record<string, number> | null {
  if (!users.has(user)) return null
  const minute = new Random('easemob unread', seed, user, Math.floor(nowMs / 60_000))
  const hour = new Random('easemob queues', seed, user, Math.floor(nowMs / hourMs))
  const queues = hour.chance(0.3) ? [user, `${user}/web`] : [user]
  return Object.fromEntries(queues.map((queue) => [queue, minute.chance(0.5) ? 0 : minute.integer(1, 40)]))
}
