import { Agent, type Dispatcher, request } from 'undici'
import { withDeadline } from '../../../deadline.ts'
import { ChatfeedError } from '../../../errors.ts'
import type { RateBudget, SourceContext } from '../../provider.ts'
import { readReply, type Reply } from './reply.ts'
import type { Verdict } from './verdicts.ts'

const connectTimeoutMs = 10_000
const headersTimeoutMs = 30_000
const silenceMs = 60_000

/** One call below `{baseUrl}/{org}/{app}/`. */
export interface RestCall {
  method: 'GET' | 'POST'
  /** Percent-encoded already. */
  path: string
  headers?: Record<string, string>
  body?: string
  /** A longer body is dropped, and the reply says so. */
  maxBytes?: number
  /** For the whole answer. */
  withinMs?: number
}

/** HTTP to the REST interface of one app: no token, no budget, no retries. */
export class Rest {
  /** Its connections end with `close`; file downloads use it too. */
  readonly dispatcher: Dispatcher = new Agent({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: headersTimeoutMs,
    bodyTimeout: silenceMs,
  })
  readonly #appUrl: string
  readonly #context: SourceContext
  #clockSkewMs: number | null = null

  constructor(appUrl: string, context: SourceContext) {
    this.#appUrl = appUrl
    this.#context = context
  }

  /** How far the service's clock was ahead of ours at the newest answer; null where none told. */
  get clockSkewMs(): number | null {
    return this.#clockSkewMs
  }

  /** Throws ChatfeedError `unreachable` for a connection that fails, and the reason of the abort. */
  async send(call: RestCall, signal: AbortSignal): Promise<Reply> {
    const { method, path, headers, body = null, maxBytes = 1024 * 1024, withinMs = 60_000 } = call
    try {
      const { reply, nowMs } = await withDeadline(withinMs, signal, async (either) => {
        const response = await request(`${this.#appUrl}/${path}`, {
          dispatcher: this.dispatcher,
          method,
          headers: { accept: 'application/json', ...headers },
          body,
          signal: either,
        })
        const nowMs = this.#context.now()
        return { reply: await readReply(response, { maxBytes, nowMs }), nowMs }
      })
      if (reply.serverTimeMs !== null) this.#clockSkewMs = reply.serverTimeMs - nowMs
      return reply
    } catch (cause) {
      signal.throwIfAborted()
      this.#context.countRequest('unreachable')
      const message = `Easemob: no answer from ${new URL(this.#appUrl).host}.`
      throw new ChatfeedError('transient', 'unreachable', message, {
        cause,
        mend: 'Check baseUrl, the network and the proxies of this machine.',
      })
    }
  }

  /**
   * Throws what the verdicts mean that concern every call: `stop` is `fatal`; `throttled` is `transient`, and nobody
   * gets a permission of `budget` before its time.
   */
  obey(verdict: Verdict, budget: RateBudget = this.#context.budget): void {
    const message = `Easemob: ${verdict.reason}.`
    if (verdict.verdict === 'stop')
      throw new ChatfeedError('fatal', verdict.code ?? 'refused', message, verdict)
    if (verdict.verdict !== 'throttled') return
    budget.pause(verdict.retryAfterMs ?? 0)
    throw new ChatfeedError('transient', 'throttled', message, verdict)
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy()
  }
}

/**
 * Percent-encodes everything but letters, digits, `-`, `_`, `.` and `~`; null for text with a lone surrogate, which no
 * address can hold.
 */
export function encodeStrictly(text: string): string | null {
  if (/\p{Surrogate}/u.test(text)) return null
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
