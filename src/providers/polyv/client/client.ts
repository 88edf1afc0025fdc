import { setTimeout as sleep } from 'node:timers/promises'
import { ChatfeedError } from '../../../errors.ts'
import type { SourceContext } from '../../provider.ts'
import { orStopped, stopped } from '../../stopped.ts'
import { signedQuery, type Credentials, type Params } from './signature.ts'
import { Transport, unreachable } from './transport.ts'
import type { Verdict } from './complaints.ts'
import { verdictOf } from './verdicts.ts'

/** Waits before the further attempts of a call that failed in passing; then the scheduler decides. */
const retryWaitsMs = [250, 1_000]
/** A longer rest that the service asks for is the scheduler's to wait. */
const longestOwnWaitMs = 2_000
/** Clocks this far apart explain a refused timestamp; the service allows three minutes. */
const clockToleranceMs = 60_000

/** One call, not yet signed. */
export interface Call {
  /** POST sends the parameters as a form. */
  method: 'GET' | 'POST'
  path: string
  params: Params
}

/** A call that came to nothing, though the account is fine: only the unit it was for fails. */
export interface Refusal {
  code: string
  reason: string
  mend?: string
  /** Absent when the scheduler may decide. */
  retryAfterMs?: number
}

/** Tells a refusal from what was asked for. */
export function isRefusal(answer: object): answer is Refusal {
  return 'reason' in answer
}

/** What came of one attempt. */
interface Attempt {
  verdict: Verdict
  body: Buffer
  /** The service's clock, epoch ms. */
  dateMs: number | null
}

/** Asks the service, within the rate budget, each attempt with its own signature. */
export class Client {
  readonly #baseUrl: string
  readonly #credentials: Credentials
  readonly #context: SourceContext
  readonly #transport = new Transport()
  /** How far the service's clock is ahead of ours, once it has complained. */
  #skewMs = 0
  #aheadMs: number | null = null
  /** Trouble has outlived the attempts of one call, and no call has succeeded since: the next are not tried again. */
  #isInTrouble = false

  constructor(baseUrl: string, credentials: Credentials, context: SourceContext) {
    this.#baseUrl = baseUrl
    this.#credentials = credentials
    this.#context = context
  }

  /** How far the clock of the newest answer was ahead of this machine's, to the second; null before one told. */
  get aheadMs(): number | null {
    return this.#aheadMs
  }

  /**
   * Makes a call with its params signed. Returns the body of a successful answer, or why the service refuses this
   * call. Throws ChatfeedError: `transient` when the service cannot be reached, throttles (with the time to wait,
   * during which the budget is closed) or does not take our clock; `fatal` for a wrong account. Trouble that the
   * service reports of this call, without asking for a rest, is a refusal once it has outlived a few attempts: one
   * channel that always ends so must not keep the others waiting.
   */
  async ask(call: Call, signal: AbortSignal): Promise<Buffer | Refusal> {
    let followed = false
    for (let attempt = 0; ; attempt++) {
      const { verdict, body, dateMs } = await this.#attempt(call, signal)
      this.#context.countRequest(verdict.code)
      if (verdict.kind === 'ok') {
        this.#isInTrouble = false
        return body
      }
      if (verdict.kind === 'refused') return verdict
      const isTrouble = verdict.kind === 'trouble'
      const isWorthTrying = isTrouble ? !this.#isInTrouble : verdict.kind === 'transient'
      const waitMs = isWorthTrying ? retryWaitsMs[attempt] : undefined
      const toldMs = verdict.retryAfterMs ?? 0
      if (waitMs !== undefined && toldMs <= longestOwnWaitMs) {
        await orStopped(sleep(Math.max(waitMs, toldMs), undefined, { signal }), signal)
        continue
      }
      if (isTrouble && toldMs === 0) {
        this.#isInTrouble = true
        return verdict
      }
      // Once a call: where the front ends' clocks differ, following each in turn would never end.
      if (verdict.kind !== 'clock' || followed || !this.#followClock(dateMs)) throw this.#errorOf(verdict)
      followed = true
    }
  }

  async close(): Promise<void> {
    await this.#transport.close()
  }

  async #attempt(call: Call, signal: AbortSignal): Promise<Attempt> {
    await orStopped(this.#context.budget.take(signal), signal)
    const nowMs = this.#context.now()
    const query = signedQuery(call.params, this.#credentials, nowMs + this.#skewMs)
    const address = this.#baseUrl + call.path
    try {
      const { answer, dateMs } = await this.#transport.exchange(call.method, address, query, nowMs, signal)
      if (dateMs !== null) this.#aheadMs = dateMs - this.#context.now()
      return { verdict: this.#withoutSecret(verdictOf(answer)), body: answer.body, dateMs }
    } catch (error) {
      if (signal.aborted) throw stopped(error)
      return { verdict: unreachable(error), body: Buffer.alloc(0), dateMs: null }
    }
  }

  /** The service's words are quoted to the user, and a service may well quote what it was told. */
  #withoutSecret(verdict: Verdict): Verdict {
    if (verdict.kind === 'ok') return verdict
    return { ...verdict, reason: verdict.reason.replaceAll(this.#credentials.appSecret, '…') }
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
}
