import { ChatfeedError } from '../../errors.ts'
import { fault, fine, type Finding, warning } from '../../finding.ts'
import type { WebhookConfig } from './config.ts'
import { Endpoint } from './post.ts'

/** Whether anybody answers at the address, and whether deliveries are safe on their way. Delivers nothing. */
export async function checkWebhook(config: WebhookConfig): Promise<Finding[]> {
  return [await reached(config), ...safety(config)]
}

async function reached(config: WebhookConfig): Promise<Finding> {
  const endpoint = new Endpoint(config)
  try {
    const { status } = await endpoint.head(new AbortController().signal)
    if (status >= 300 && status < 400) {
      const text = `${endpoint.host} answers with a redirect, and deliveries do not follow one.`
      return warning('receiver', text, 'Write the final address into the url of the sink.')
    }
    return fine('receiver', `${endpoint.host} answers.`)
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    return fault('receiver', error.message, error.mend ?? 'Check the url of the sink.')
  } finally {
    await endpoint.close()
  }
}

function safety({ url, secret }: WebhookConfig): Finding[] {
  const { protocol, hostname } = new URL(url)
  const isNear = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return [
    ...(secret === undefined
      ? [
          warning(
            'signature',
            'Deliveries are not signed.',
            'Give the sink a secret, and let the receiver check it.',
          ),
        ]
      : []),
    ...(protocol === 'http:' && !isNear
      ? [warning('encryption', 'Messages go unencrypted over the network.', 'Use an https:// address.')]
      : []),
  ]
}
