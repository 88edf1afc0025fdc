import { z } from 'zod'
import { duration } from '../../duration.ts'
import { sinkEntry } from '../sink-type.ts'

const address = z
  .string('Give the address that messages are posted to.')
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    error: 'write an address that begins with https:// or http://',
  })

/** A `sinks:` entry with `type: webhook`. `timeout` is for one request, milliseconds once read. */
export const webhookConfig = sinkEntry('webhook', {
  url: address,
  secret: z.string().min(1, 'Give a secret, or leave it out: deliveries are not signed then.').optional(),
  batch: z.coerce.number().int().min(1).max(10_000).default(100),
  timeout: duration.refine((ms) => ms >= 100 && ms <= 120_000, 'choose from 100ms to 2m').prefault('10s'),
})
/** A checked entry. */
export type WebhookConfig = z.infer<typeof webhookConfig>
