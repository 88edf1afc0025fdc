import { z } from 'zod'
import { duration, durationOrTime } from '../../duration.ts'
import { parseZone } from './hours.ts'

const word = z.string().min(1, 'must not be empty')
const pathWord = word.regex(/^[\w-][\w.-]*$/, 'letters, digits, - _ . only, as the Easemob console shows it')

const timeZone = z.string().transform((text, context) => {
  const offsetMs = parseZone(text)
  if (offsetMs !== null) return offsetMs
  context.addIssue({ code: 'custom', message: 'write +08:00 (mainland clusters) or Z (overseas clusters)' })
  return z.NEVER
})

const baseUrl = z
  .url({ protocol: /^https?$/, error: 'write the REST host of your cluster, such as https://a1.easemob.com' })
  .refine((text) => !/[?#@]/.test(text), 'no user, query or fragment here')
  .transform((text) => text.replace(/\/+$/, ''))

const userAsText = 'write user names as text, such as "10086" (with quotes in YAML)'
const user = z
  .string(userAsText)
  // A dot or two would name another address, a lone surrogate none.
  .refine((text) => !/^\.{0,2}$|[\p{Cc}\p{Surrogate}]/u.test(text), 'is no user name')

/** Whose unread counts are asked for; these calls do not count towards `ratePerMinute`. */
const unread = z.strictObject({
  users: z
    .array(user, 'list the users, such as [alice, bob]')
    .min(1, 'name at least one user, or leave "unread" out')
    .refine((users) => new Set(users).size === users.length, 'names a user twice'),
  every: duration.refine((ms) => ms >= 10_000, 'ask at most once in 10s').prefault('5m'),
})

/** One Easemob app. Durations are milliseconds and the zone is an offset from UTC in milliseconds once read. */
export const easemobConfig = z.strictObject({
  name: word,
  provider: z.literal('easemob'),
  baseUrl,
  org: pathWord,
  app: pathWord,
  clientId: word,
  clientSecret: word,
  mode: z
    .enum(['files', 'pull'], { error: 'write files, or pull for the retired interface' })
    .default('files'),
  timeZone: timeZone.prefault('+08:00'),
  since: durationOrTime.prefault('72h'),
  settle: duration.prefault('1h'),
  /** With `mode: pull`: how often an hour is asked for until it has settled. */
  pollEvery: duration.refine((ms) => ms >= 1_000, 'poll at most once a second').prefault('30s'),
  lookAgain: z
    .array(duration)
    .transform((agesMs) => agesMs.toSorted((a, b) => a - b))
    .prefault(['6h', '24h']),
  retention: duration.prefault('72h'),
  ratePerMinute: z.coerce.number().int().min(1).max(6_000).default(10),
  unread: unread.optional(),
})

/** A checked entry. */
export type EasemobConfig = z.output<typeof easemobConfig>
