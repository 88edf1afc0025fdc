import { z } from 'zod'
import { sinkEntry } from '../sink-type.ts'

const httpUrl = z
  .string({ error: 'give the address of the cluster, such as https://search.example:9200' })
  .refine((text) => /^https?:\/\/[^@]+$/.test(text) && URL.canParse(text), {
    error: 'write http:// or https://, host and port; username and password have keys of their own',
  })

/** PEM texts. */
const tls = z.union(
  [z.boolean(), z.strictObject({ ca: z.string(), cert: z.string(), key: z.string() }).partial()],
  { error: 'write true, or { ca, cert, key } with PEM texts' },
)

/**
 * A `sinks:` entry with `type: opensearch`, for OpenSearch and Elasticsearch. `tls` says what to trust and to show beside
 * the usual authorities, where `url` begins with https. `index` is the name for readers: an alias.
 */
export const opensearchConfig = sinkEntry('opensearch', {
  url: httpUrl,
  username: z.string().optional(),
  password: z.string().optional(),
  tls: tls.optional(),
  index: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9._-]{0,199}$/,
      'lower-case letters, digits, dot, dash and underscore only, at most 200',
    )
    .default('chatfeed-messages'),
  perMonth: z.boolean().default(false),
  keepDeleted: z.boolean().default(true),
  analyzer: z.string().min(1).default('auto'),
})
/** A checked entry. */
export type OpensearchConfig = z.infer<typeof opensearchConfig>
