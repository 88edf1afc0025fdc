import { z } from 'zod'
import { byteSize } from '../../byte-size.ts'
import { duration } from '../../duration.ts'
import { sinkEntry } from '../sink-type.ts'
import { formatNames } from './format/index.ts'

/**
 * A `sinks:` entry with `type: files`. `path` is a folder, relative to the working directory, or `s3://bucket/prefix`.
 * Without keys in `s3` the library looks where AWS programs do: environment, profile, the machine's role.
 */
export const filesConfig = sinkEntry('files', {
  path: z
    .string()
    .regex(/^(?!s3:)|^s3:\/\/[^/\s]+(\/|$)/i, 'write a folder, or s3://bucket/prefix')
    .min(1, 'Give the folder of the files, or s3://bucket/prefix.'),
  format: z.enum(formatNames).default('parquet'),
  s3: z
    .strictObject({
      endpoint: z.url({ protocol: /^https?$/, error: 'write the address of the service: https://…' }),
      region: z.string().min(1),
      accessKeyId: z.string().min(1),
      secretAccessKey: z.string().min(1),
    })
    .partial()
    .refine(
      ({ accessKeyId, secretAccessKey }) => (accessKeyId === undefined) === (secretAccessKey === undefined),
      'give accessKeyId and secretAccessKey, or neither',
    )
    .prefault({}),
  rollEvery: duration.prefault('10m'),
  rollBytes: byteSize.prefault('128MB'),
})
/** A checked entry: milliseconds and bytes. */
export type FilesConfig = z.infer<typeof filesConfig>
