import { z } from 'zod'
import { sinkEntry } from '../sink-type.ts'

const name = z.string().min(1).max(200)

/** A `sinks:` entry with `type: clickhouse`. `url` is that of the HTTP interface; a path in it is kept. */
export const clickhouseConfig = sinkEntry('clickhouse', {
  url: z
    .url({ protocol: /^https?$/, error: 'Write the URL of the HTTP interface: http://HOST:8123' })
    .refine(
      (text) => !URL.canParse(text) || new URL(text).username === '',
      'Give user and password as `username` and `password`, not in `url`.',
    ),
  username: z.string().min(1).default('default'),
  password: z.string().default(''),
  database: name.default('chatfeed'),
  table: name.default('messages'),
})
/** A checked entry. */
export type ClickhouseConfig = z.infer<typeof clickhouseConfig>
