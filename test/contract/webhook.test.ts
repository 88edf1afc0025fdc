import { openSink, rewindSink, storedRevisions } from '../../src/sinks/index.ts'
import { temporaryFolder } from '../support/chatfeed.ts'
import { sinkContext } from '../support/sink-context.ts'
import { WebhookReceiver } from '../support/webhook-receiver.ts'
import { exampleMessage, sinkSuite } from './sink-suite.ts'

sinkSuite(
  'webhook',
  async (t) => {
    const receiver = await WebhookReceiver.start(t)
    const poison = exampleMessage({ id: 'easemob:acme#helpdesk:poison' })
    receiver.answer = ({ messages }) => (messages.some(({ id }) => id === poison.id) ? 422 : 204)
    const { url, secret } = receiver
    const config = { name: 'hook', type: 'webhook', url, secret, batch: 100, timeout: 5_000 } as const
    const dataDir = temporaryFolder(t)
    return {
      open: (stream, options = {}) =>
        openSink(
          { ...config, ...(options.where && { where: options.where }) },
          { ...sinkContext(stream, options), dataDir },
        ),
      rewind: (stream, to) => rewindSink(config, stream, to),
      revisions: () => storedRevisions(config),
      stored: () =>
        Promise.resolve(
          new Map([...receiver.stored].map(([id, { revision, text }]) => [id, { revision, text }])),
        ),
      poison,
      outage: { begin: () => receiver.stop(), end: () => receiver.listen() },
    }
  },
  { isBlind: true },
)
