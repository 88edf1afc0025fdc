import { z } from 'zod'
import { duration, durationOrTime } from '../../duration.ts'
import { allChannels, endpointNames } from './lists/endpoints.ts'

/** Values of `status` in a query: approved; under review and deleted. */
export const queryStatuses = ['pass', 'censor'] as const
/** Values of `source` in a query: public chat; the administrators' private chat. */
export const queryScopes = ['public', 'extend'] as const

const channelAsText = 'write the channel number as text, such as "2477096" (with quotes in YAML)'
const channel = z.string(channelAsText).regex(/^(?:\d{1,20}|all)$/, channelAsText)

/** Channel numbers, or `all` of the account. */
const channels = z
  .preprocess(
    (value) => (value === allChannels ? [value] : value),
    z
      .array(channel, 'write all, or list the channel numbers, such as ["2477096"]')
      .min(1, 'name at least one channel'),
  )
  .transform((names) => (names.includes(allChannels) ? allChannels : [...new Set(names)]))

/** One `sources:` entry with `provider: polyv`. Durations are milliseconds afterwards. */
export const polyvConfig = z.strictObject({
  name: z.string().min(1),
  provider: z.literal('polyv'),
  baseUrl: z
    .url({ protocol: /^https?$/, error: 'write an http or https address' })
    .default('https://api.polyv.net')
    .transform((url) => url.replace(/\/+$/, '')),
  appId: z.string().trim().min(1, 'is empty: copy it from the Polyv console, Cloud live, Developer'),
  appSecret: z.string().trim().min(1, 'is empty: copy it from the Polyv console, Cloud live, Developer'),
  channels,
  endpoint: z.enum(endpointNames, `write ${endpointNames.join(' or ')}`).default('v2-history'),
  statuses: z
    .array(z.enum(queryStatuses))
    .min(1)
    .default(() => [...queryStatuses]),
  scopes: z
    .array(z.enum(queryScopes))
    .min(1)
    .default(() => [...queryScopes]),
  /** Discussion rooms to ask for beside the main room of each channel. */
  rooms: z.array(z.string().min(1)).default(() => []),
  /** Messages asked for in one call. Polyv documents 1000 as the default; larger pages can come back empty. */
  pageSize: z.coerce.number().int().min(1).max(1000).default(1000),
  since: durationOrTime.default({ agoMs: 24 * 3_600_000 }),
  pollEvery: duration.refine((ms) => ms >= 1_000, 'poll at most once a second').default(15_000),
  lookAgain: z
    .array(duration)
    .transform((waits) => waits.sort((a, b) => a - b))
    .default(() => [10 * 60_000, 3_600_000, 24 * 3_600_000]),
  /** Polyv blocks an address for five minutes beyond 1500 calls in 10 s, from all its programs together. */
  ratePer10s: z.coerce.number().int().min(1).max(1500).default(200),
})

/** A checked entry. */
export type PolyvConfig = z.infer<typeof polyvConfig>
