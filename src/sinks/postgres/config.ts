import { z } from 'zod'
import { sinkEntry } from '../sink-type.ts'

const longestNameBytes = 63

/** A `sinks:` entry with `type: postgres`. The password is a part of `url`, which is never shown. */
export const postgresConfig = sinkEntry('postgres', {
  url: z
    .string()
    .refine(
      isPostgresUrl,
      'Write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE, the password percent-encoded.',
    ),
  schema: z
    .string()
    .min(1, 'Give the schema a name.')
    .refine(
      (name) => Buffer.byteLength(name) <= longestNameBytes,
      'PostgreSQL takes names of up to 63 bytes.',
    )
    .refine((name) => !/^pg_|^information_schema$|\0/.test(name), 'This name is reserved by PostgreSQL.')
    .default('chatfeed'),
})
/** A checked entry. */
export type PostgresConfig = z.infer<typeof postgresConfig>

function isPostgresUrl(text: string): boolean {
  return URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol)
}
