import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { ChatfeedError } from '../../errors.ts'
import type { SourceContext } from '../provider.ts'
import { stopped } from '../stopped.ts'
import { signedQuery, type Credentials, type Params } from './signature.ts'
import { verdictOf, type Answer, type Verdict } from './verdicts.ts'

/** Waits before the further attempts of a call that failed in passing; then the scheduler decides. */
const retryWaitsMs = [250, 1_000]
const silenceMs = 30_000
const wholeAnswerMs = 120_000
/** A refused call is made again, in case the account is put right, but not at the pace of polling. */
const refusedRetryMs = 10 * 60_000
/** A page of 1000 messages is a few megabytes. */
const maxAnswerBytes = 64 * 1024 * 1024
/** Clocks this far apart explain a refused timestamp; the service allows three minutes. */
const clockToleranceMs = 60_000

/** A call that came to nothing, though the account is fine: only the unit it was for fails. */
export interface Refusal {
  code: string
  reason: string
  /** Absent when the scheduler may decide. */
  retryAfterMs?: number
}

/** Asks the service, within the rate budget, each attempt with its own signature. */
export class Client {
  readonly #baseUrl: string
  readonly #credentials: Credentials
  readonly #context: SourceContext
  readonly #agent = new Agent({ connections: 8, connectTimeout: 10_000 })
  /** How far the service's clock is ahead of ours, once it has complained. */
  #skewMs = 0

  constructor(baseUrl: string, credentials: Credentials, context: SourceContext) {
    this.#baseUrl = baseUrl
    this.#credentials = credentials
    this.#context = context
  }

  /**
   * GETs `path` with the signed `params`. Returns the body of a successful answer, or why the service refuses
   * this call. Throws ChatfeedError: `transient` when the service cannot be reached, is in trouble, throttles
   * (with the time to wait, during which the budget is closed) or does not take our clock; `fatal` for a wrong
   * account.
   */
  async get(path: string, params: Params, signal: AbortSignal): Promise<Buffer | Refusal> {
    for (let attempt = 0; ; attempt++) {
      const { verdict, body, dateMs } = await this.#attempt(path, params, signal)
      this.#context.countRequest(verdict.code)
      if (verdict.kind === 'ok') return body
      if (verdict.kind === 'refused') {
        const reason = [verdict.reason, verdict.mend].filter(Boolean).join(' ')
        return { code: verdict.code, reason, retryAfterMs: refusedRetryMs }
      }
      const waitMs = verdict.kind === 'transient' ? retryWaitsMs[attempt] : undefined
      if (waitMs !== undefined) await this.#orAborted(sleep(waitMs, undefined, { signal }), signal)
      else if (verdict.kind !== 'clock' || !this.#followClock(dateMs)) throw this.#errorOf(verdict)
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #attempt(path: string, params: Params, signal: AbortSignal) {
    await this.#orAborted(this.#context.budget.take(signal), signal)
    const query = signedQuery(params, this.#credentials, this.#context.now() + this.#skewMs)
    try {
      const { answer, dateMs } = await this.#request(`${this.#baseUrl}${path}?${query}`, signal)
      return { verdict: verdictOf(answer), body: answer.body, dateMs }
    } catch (error) {
      if (signal.aborted) throw stopped(error)
      return { verdict: unreachable(error), body: Buffer.alloc(0), dateMs: null }
    }
  }

  async #request(url: string, signal: AbortSignal): Promise<{ answer: Answer; dateMs: number | null }> {
    const { statusCode, headers, body } = await request(url, {
      dispatcher: this.#agent,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      signal,
    })
    const startedMs = performance.now()
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxAnswerBytes) throw new TooLarge()
      if (performance.now() - startedMs > wholeAnswerMs) throw new DOMException('', 'TimeoutError')
      chunks.push(chunk)
    }
    const dateMs = typeof headers.date === 'string' ? Date.parse(headers.date) : Number.NaN
    return {
      answer: { httpStatus: statusCode, body: Buffer.concat(chunks) },
      dateMs: Number.isNaN(dateMs) ? null : dateMs,
    }
  }

  /** Signs by the service's clock from now on, if that differs enough from the one used to be the fault. */
  #followClock(dateMs: number | null): boolean {
    if (dateMs === null) return false
    const skewMs = dateMs - this.#context.now()
    if (Math.abs(skewMs - this.#skewMs) < clockToleranceMs) return false
    this.#skewMs = skewMs
    this.#context.log.warn(
      { aheadSeconds: Math.round(skewMs / 1000) },
      'The clock of this machine is off; requests are signed by the clock of Polyv. Set the clock (NTP).',
    )
    return true
  }

  #errorOf(verdict: Exclude<Verdict, { kind: 'ok' }>): ChatfeedError {
    const { kind, code, reason, mend, retryAfterMs } = verdict
    if (retryAfterMs !== undefined) this.#context.budget.pause(retryAfterMs)
    return new ChatfeedError(kind === 'fatal' ? 'fatal' : 'transient', code, reason, {
      ...(mend !== undefined && { mend }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }

  async #orAborted(waiting: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await waiting
    } catch (error) {
      throw signal.aborted ? stopped(error) : error
    }
  }
}

class TooLarge extends Error {}

function unreachable(error: unknown): Verdict {
  if (error instanceof TooLarge) {
    return {
      kind: 'refused',
      code: 'answer_too_large',
      reason: `Polyv's answer is larger than ${maxAnswerBytes} bytes.`,
      mend: 'Lower pageSize.',
    }
  }
  // The cause is named by its code only: messages of the network layer can hold the signed address.
  const { code, name } = error as { code?: unknown; name?: unknown }
  const cause = [code, name].find((word) => typeof word === 'string') ?? 'network'
  return {
    kind: 'transient',
    code: 'unreachable',
    reason: `Polyv cannot be reached (${String(cause)}).`,
    mend: 'Check baseUrl, the network and proxies of this machine.',
  }
}
