import type { Dispatcher } from 'undici'
import { ChatfeedError } from '../../../errors.ts'
import type { RateBudget, SourceContext } from '../../provider.ts'
import type { EasemobConfig } from '../config.ts'
import type { Reply } from './reply.ts'
import { Rest, type RestCall } from './http.ts'
import { AppToken } from './token.ts'
import type { Answer, Verdict } from './verdicts.ts'

/** A reply and what it means. */
export interface Judged {
  reply: Reply
  verdict: Verdict
}

/** Calls the REST interface of one app with the app's token, within the budget (facts: Easemob docs DOC23, DOCNEW). */
export class EasemobClient {
  readonly #context: SourceContext
  readonly #rest: Rest
  readonly #token: AppToken

  constructor(config: EasemobConfig, context: SourceContext) {
    this.#context = context
    this.#rest = new Rest(`${config.baseUrl}/${config.org}/${config.app}`, context)
    this.#token = new AppToken(config, this.#rest, context)
  }

  /** For downloads from elsewhere; its connections end with `close`. */
  get dispatcher(): Dispatcher {
    return this.#rest.dispatcher
  }

  /** How far the service's clock was ahead of ours at the newest answer; null where none told. */
  get clockSkewMs(): number | null {
    return this.#rest.clockSkewMs
  }

  /**
   * `GET {baseUrl}/{org}/{app}/{path}`, judged by `judge`. A token that is not accepted is renewed once. Throws
   * ChatfeedError: `fatal` for the verdict `stop`, `transient` for `throttled` (the budget is paused), for a
   * connection that fails and for a token that cannot be had now. Every other verdict is returned. `budget` stands in
   * for that of the history.
   */
  async get(
    path: string,
    judge: (answer: Answer) => Verdict,
    signal: AbortSignal,
    options: Pick<RestCall, 'maxBytes' | 'withinMs'> & { budget?: RateBudget } = {},
  ): Promise<Judged> {
    const { budget = this.#context.budget, ...size } = options
    for (let renewed = false; ; renewed = true) {
      await budget.take(signal)
      const token = await this.#token.get(signal)
      const headers = { authorization: `Bearer ${token.text}` }
      const reply = await this.#rest.send({ method: 'GET', path, headers, ...size }, signal)
      const verdict = judge(reply)
      this.#context.countRequest(verdict.verdict)
      this.#rest.obey(verdict, budget)
      if (verdict.verdict !== 'refresh') return { reply, verdict: reply.tooLong ? tooLong(verdict) : verdict }
      this.#token.drop(token)
      if (!renewed) continue
      // A gateway can say as little, also in JSON; only the service's own word ends the source.
      if (reply.error === null && reply.text === '')
        return { reply, verdict: { ...verdict, verdict: 'failed' } }
      throw new ChatfeedError('fatal', 'unauthorized', `Easemob: ${verdict.reason}, though it is fresh.`, {
        mend: 'Check that clientId and clientSecret are those of this app and may read its chat history.',
      })
    }
  }

  /** Makes sure of a token. Throws as `get` does. */
  async authenticate(signal: AbortSignal): Promise<void> {
    await this.#token.get(signal)
  }

  async close(): Promise<void> {
    this.#token.close()
    await this.#rest.close()
  }
}

function tooLong(verdict: Verdict): Verdict {
  return verdict.verdict === 'ready'
    ? { verdict: 'failed', reason: 'the answer is longer than chatfeed takes' }
    : verdict
}
