import { Agent, type Dispatcher, request } from 'undici'
import { z } from 'zod'
import { ChatfeedError } from '../../errors.ts'
import { parseLossless } from '../canonical.ts'
import type { SourceContext } from '../provider.ts'
import type { EasemobConfig } from './config.ts'
import { type Answer, judgeToken, type Verdict } from './verdicts.ts'

const maxAnswerBytes = 1024 * 1024
const headersTimeoutMs = 30_000
const answerTimeoutMs = 60_000
const longestRetryAfterMs = 3_600_000
/** A token is renewed this long before its end, but a short-lived one is used for nine tenths of its life. */
const renewBeforeMs = 600_000

const errorBody = z.object({ error: z.string(), error_description: z.string(), desc: z.string() }).partial()
/** The life is in seconds and was seen as 1, 60 and other numbers of days; 0 means without end. */
const tokenBody = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().nonnegative().catch(3600),
})

/** An answer with its body: parsed JSON, or undefined where it is none. */
export interface Reply extends Answer {
  body: unknown
}

interface Token {
  text: string
  renewAtMs: number
}

/** Calls the REST interface of one app with the app's token (facts: Easemob docs DOC23, DOCNEW). */
export class EasemobClient {
  /** Its connections end with `close`; file downloads use it too. */
  readonly dispatcher: Dispatcher = new Agent({
    connect: { timeout: 10_000 },
    headersTimeout: headersTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  })
  readonly #config: EasemobConfig
  readonly #context: SourceContext
  readonly #closed = new AbortController()
  #token: Token | null = null
  /** The refresh under way; every call that needs a token waits for the same one. */
  #refresh: Promise<Token> | null = null

  constructor(config: EasemobConfig, context: SourceContext) {
    this.#config = config
    this.#context = context
  }

  /**
   * `GET {baseUrl}/{org}/{app}/{path}`, judged by `judge`. A token that is not accepted is renewed once. Throws
   * ChatfeedError: `fatal` for the verdict `stop`, `transient` for `throttled` (the budget is paused), for a
   * connection that fails and for a token that cannot be had now. Every other verdict is returned.
   */
  async get(
    path: string,
    judge: (answer: Answer) => Verdict,
    signal: AbortSignal,
  ): Promise<{ reply: Reply; verdict: Verdict }> {
    for (let renewed = false; ; renewed = true) {
      const token = await orAbort(this.#currentToken(), signal)
      await this.#context.budget.take(signal)
      const headers = { authorization: `Bearer ${token.text}` }
      const reply = await this.#send('GET', path, headers, null, signal)
      const verdict = judge(reply)
      this.#context.countRequest(verdict.verdict)
      this.#throwIfNobodyMayGoOn(verdict)
      if (verdict.verdict !== 'refresh') return { reply, verdict }
      if (this.#token === token) this.#token = null
      if (!renewed) continue
      throw new ChatfeedError('fatal', 'unauthorized', `Easemob: ${verdict.reason}, though it is fresh.`, {
        mend: 'Check that clientId and clientSecret are those of this app and may read its chat history.',
      })
    }
  }

  async close(): Promise<void> {
    this.#closed.abort()
    await this.dispatcher.destroy()
  }

  async #currentToken(): Promise<Token> {
    if (this.#token !== null && this.#context.now() < this.#token.renewAtMs) return this.#token
    this.#refresh ??= this.#fetchToken().finally(() => (this.#refresh = null))
    return this.#refresh
  }

  async #fetchToken(): Promise<Token> {
    const { clientId, clientSecret } = this.#config
    const reply = await this.#send(
      'POST',
      'token',
      { 'content-type': 'application/json' },
      JSON.stringify({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
      this.#closed.signal,
    )
    const verdict = judgeToken(reply)
    this.#context.countRequest(`token_${verdict.verdict}`)
    this.#throwIfNobodyMayGoOn(verdict)
    const body = tokenBody.safeParse(reply.body)
    if (verdict.verdict !== 'ready' || !body.success) {
      throw new ChatfeedError('transient', 'no_token', `Easemob gave no token: ${verdict.reason}.`, verdict)
    }
    const lifeMs = body.data.expires_in * 1000
    const useMs = lifeMs === 0 ? Infinity : Math.max(lifeMs - renewBeforeMs, lifeMs * 0.9)
    this.#token = { text: body.data.access_token, renewAtMs: this.#context.now() + useMs }
    return this.#token
  }

  #throwIfNobodyMayGoOn(verdict: Verdict): void {
    const message = `Easemob: ${verdict.reason}.`
    if (verdict.verdict === 'stop') throw new ChatfeedError('fatal', 'refused', message, verdict)
    if (verdict.verdict !== 'throttled') return
    this.#context.budget.pause(verdict.retryAfterMs ?? 0)
    throw new ChatfeedError('transient', 'throttled', message, verdict)
  }

  async #send(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body: string | null,
    signal: AbortSignal,
  ): Promise<Reply> {
    const { baseUrl, org, app } = this.#config
    try {
      const response = await request(`${baseUrl}/${org}/${app}/${path}`, {
        dispatcher: this.dispatcher,
        method,
        headers: { accept: 'application/json', ...headers },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
      })
      const json = parsed(await readStart(response.body, maxAnswerBytes))
      const { error, error_description: description, desc } = errorBody.safeParse(json).data ?? {}
      return {
        status: response.statusCode,
        error: error ?? null,
        text: description ?? desc ?? '',
        retryAfterMs: retryAfterMs(response.headers['retry-after']),
        body: json,
      }
    } catch (cause) {
      signal.throwIfAborted()
      this.#context.countRequest('unreachable')
      const message = `Easemob: no answer from ${new URL(baseUrl).host}.`
      throw new ChatfeedError('transient', 'unreachable', message, { cause })
    }
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseLossless(bytes.toString('utf8'))
  } catch {
    return undefined // a gateway's page: the status alone decides
  }
}

async function readStart(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) break
  }
  return Buffer.concat(chunks)
}

/** No source shows this header, but a gateway before the service may send it. */
function retryAfterMs(header: string | string[] | undefined): number | null {
  const seconds = typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : null
  return seconds === null ? null : Math.min(seconds * 1000, longestRetryAfterMs)
}

function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  })
}
