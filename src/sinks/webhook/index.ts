import { sinkType } from '../sink-type.ts'
import { webhookConfig } from './config.ts'

/**
 * Batches of messages as signed HTTP requests. The receiver cannot be asked what it has, and keeps no offsets: the
 * group keeps the place, so to set the group back is to set the sink back.
 */
export const webhook = sinkType({
  config: webhookConfig,
  open: async (config, context) => (await import('./sink.ts')).openWebhookSink(config, context),
  count: () => Promise.resolve(null),
  revisions: null,
  rewind: () => Promise.resolve(),
  check: async (config) => (await import('./check.ts')).checkWebhook(config),
})
