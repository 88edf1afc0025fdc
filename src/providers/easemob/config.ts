import { z } from 'zod'
import { duration, durationOrTime } from '../../duration.ts'
import { parseZone } from './hours.ts'

const notPartOf = (what: string) => `${what} is not part of this version of chatfeed: leave it out`
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
    .literal('files', { error: notPartOf('any mode but "files" (the retired pull interface)') })
    .default('files'),
  timeZone: timeZone.prefault('+08:00'),
  since: durationOrTime.prefault('72h'),
  settle: duration.prefault('1h'),
  lookAgain: z.array(duration).prefault(['6h', '24h']),
  retention: duration.prefault('72h'),
  ratePerMinute: z.coerce.number().int().min(1).max(6_000).default(10),
  unread: z.undefined({ error: notPartOf('"unread"') }).optional(),
})

/** A checked entry. */
export type EasemobConfig = z.output<typeof easemobConfig>
