import { ChatfeedError } from '../../../errors.ts'
import type { SourceContext } from '../../provider.ts'
import { orStopped } from '../../stopped.ts'
import { asNumber } from '../message/records.ts'
import { memberOf, type Reply } from './reply.ts'
import type { Rest } from './http.ts'
import { judgeToken } from './verdicts.ts'

const yearSeconds = 365 * 86_400
/** For a life that is not told: a token that dies earlier is renewed when it is refused. */
const assumedLifeMs = 3_600_000
/** A token is renewed this long before its end, but a short-lived one is used for nine tenths of its life. */
const renewBeforeMs = 600_000
/** Asking for tokens too often can get the account banned (facts: Easemob docs DOC23). */
const leastUseMs = 60_000

const mend =
  'Check baseUrl: it is the REST host of your cluster, without a gateway that answers in its place.'

/** A token as the service gave it. */
export interface Token {
  readonly text: string
  readonly renewAtMs: number
}

/** The token of one app: fetched when it is first needed, used until shortly before its end, shared by all calls. */
export class AppToken {
  readonly #request: string
  readonly #rest: Rest
  readonly #context: SourceContext
  readonly #closed = new AbortController()
  #token: Token | null = null
  /** The refresh under way; every call that needs a token waits for the same one. */
  #refresh: Promise<Token> | null = null

  constructor(credentials: { clientId: string; clientSecret: string }, rest: Rest, context: SourceContext) {
    this.#request = JSON.stringify({
      grant_type: 'client_credentials',
      client_id: credentials.clientId,
      client_secret: credentials.clientSecret,
    })
    this.#rest = rest
    this.#context = context
  }

  /**
   * A token that should be good. Throws ChatfeedError: `fatal` when the credentials or the app are refused,
   * `transient` when a token cannot be had now; and `stopped`.
   */
  get(signal: AbortSignal): Promise<Token> {
    return orStopped(this.#current(), signal)
  }

  /** The service does not accept `token`: the next `get` fetches another, unless someone has already. */
  drop(token: Token): void {
    if (this.#token === token) this.#token = null
  }

  close(): void {
    this.#closed.abort()
  }

  async #current(): Promise<Token> {
    if (this.#token !== null && this.#context.now() < this.#token.renewAtMs) return this.#token
    this.#refresh ??= this.#fetch().finally(() => (this.#refresh = null))
    return this.#refresh
  }

  async #fetch(): Promise<Token> {
    const headers = { 'content-type': 'application/json' }
    const call = { method: 'POST', path: 'token', headers, body: this.#request } as const
    const reply = await this.#rest.send(call, this.#closed.signal)
    const verdict = judgeToken(reply)
    this.#context.countRequest(`token_${verdict.verdict}`)
    this.#rest.obey(verdict)
    const text = memberOf(reply.frame, 'access_token')
    // Anything else could not stand in a header.
    if (verdict.verdict === 'ready' && typeof text === 'string' && /^[\x21-\x7e]+$/.test(text)) {
      this.#token = { text, renewAtMs: this.#context.now() + usableMs(reply) }
      return this.#token
    }
    const isPage = reply.frame === null
    const empty = `the answer ${isPage ? 'is no JSON, but perhaps a web page' : 'holds none'} (${reply.status})`
    const reason = verdict.verdict === 'ready' ? empty : verdict.reason
    throw new ChatfeedError('transient', 'no_token', `Easemob gave no token: ${reason}.`, {
      mend,
      ...verdict,
    })
  }
}

function usableMs(reply: Reply): number {
  const lifeMs = lifeOf(memberOf(reply.frame, 'expires_in'))
  return Math.max(lifeMs - renewBeforeMs, lifeMs * 0.9, leastUseMs)
}

/**
 * Milliseconds that a token lives. `expires_in` is in seconds, though it can come as text, and 0 means without end;
 * one cluster counts in milliseconds, which reads as years (facts: Easemob docs on `ttl`, VIP 5).
 */
export function lifeOf(expiresIn: unknown): number {
  const seconds = asNumber(expiresIn)
  if (seconds === null || seconds < 0) return assumedLifeMs
  if (seconds === 0) return Infinity
  return seconds > yearSeconds ? seconds : seconds * 1000
}
