import { Agent, request } from 'undici'
import { withDeadline } from '../../deadline.ts'
import { ChatfeedError } from '../../errors.ts'
import { dateOf, retryAfterOf } from '../../http-headers.ts'
import type { WebhookConfig } from './config.ts'
import { signature } from './signature.ts'
import type { Answer } from './verdict.ts'

/** A request that is under way when the process is told to end may take so long still. */
const graceMs = 3_000

/** Where a sink sends its requests. Redirects are not followed; nothing of an answer's body is kept. */
export class Endpoint {
  /** Scheme, host and port: the rest of an address may be a secret. */
  readonly host: string
  readonly #url: URL
  readonly #authorization: string | null
  readonly #secret: string | undefined
  readonly #timeoutMs: number
  readonly #agent: Agent

  constructor({ url, secret, timeout }: Pick<WebhookConfig, 'url' | 'secret' | 'timeout'>) {
    this.#url = new URL(url)
    const { username, password, origin } = this.#url
    this.host = origin
    const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    this.#authorization = account === ':' ? null : `Basic ${Buffer.from(account).toString('base64')}`
    this.#url.username = this.#url.password = ''
    this.#secret = secret
    this.#timeoutMs = timeout
    this.#agent = new Agent({ connectTimeout: timeout, headersTimeout: timeout, bodyTimeout: timeout })
  }

  /** Posts a JSON text once. Throws ChatfeedError `transient` when no answer comes in time. */
  async post(body: string, idempotencyKey: string, signal: AbortSignal): Promise<Answer> {
    const headers = {
      'content-type': 'application/json',
      'chatfeed-idempotency-key': idempotencyKey,
      ...(this.#secret !== undefined && { 'chatfeed-signature': signature(this.#secret, body, Date.now()) }),
    }
    return this.#send('POST', headers, body, signal)
  }

  /** Asks whether anybody answers there, which changes nothing. */
  head(signal: AbortSignal): Promise<Answer> {
    return this.#send('HEAD', {}, null, signal)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #send(
    method: 'POST' | 'HEAD',
    headers: Record<string, string>,
    body: string | null,
    stop: AbortSignal,
  ): Promise<Answer> {
    if (stop.aborted) throw stopped()
    const late = new AbortController()
    const onStop = () => {
      setTimeout(() => {
        late.abort()
      }, graceMs).unref()
    }
    stop.addEventListener('abort', onStop, { once: true })
    try {
      return await withDeadline(this.#timeoutMs, late.signal, async (signal) => {
        const answer = await request(this.#url, {
          method,
          headers: {
            'user-agent': 'chatfeed',
            ...headers,
            ...(this.#authorization !== null && { authorization: this.#authorization }),
          },
          body,
          dispatcher: this.#agent,
          signal,
        })
        // What the receiver says beside its status is of no use here, also where the rest of it does not come.
        await answer.body.dump().catch(() => undefined)
        const nowMs = dateOf(answer.headers.date) ?? Date.now()
        return { status: answer.statusCode, retryAfterMs: retryAfterOf(answer.headers['retry-after'], nowMs) }
      })
    } catch (cause) {
      if (stop.aborted) throw stopped()
      throw unreachable(this.host, cause)
    } finally {
      stop.removeEventListener('abort', onStop)
    }
  }
}

/** Nobody's fault: the partition goes to another member, or the process ends. */
export const stopped = () => new ChatfeedError('transient', 'stopped', 'Told to end.')

/** The words of Node for what went wrong, without the address. */
function unreachable(host: string, cause: unknown): ChatfeedError {
  const { code, name } = cause as NodeJS.ErrnoException
  const isLate =
    name === 'AbortError' ||
    /TIMEOUT/.test(code ?? '') ||
    /^not within/.test(String((cause as Error).message))
  const what = isLate ? 'does not answer in time' : `cannot be reached (${code ?? name})`
  return new ChatfeedError(
    'transient',
    isLate ? 'webhook_timeout' : 'webhook_unreachable',
    `${host} ${what}.`,
    {
      cause,
      mend: isLate
        ? 'Let the receiver answer first and work afterwards, or raise the timeout of the sink.'
        : 'Check the url of the sink, and that the receiver runs.',
    },
  )
}
