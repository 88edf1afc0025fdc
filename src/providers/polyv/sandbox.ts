import { Hono } from 'hono'
import { z } from 'zod'
import { stringifyLossless } from '../canonical.ts'
import type { Sandbox, SandboxOptions } from '../provider.ts'
import { parseTime } from './hours.ts'
import { sandboxChannels, SandboxHistory, statusAt, type SandboxMessage } from './sandbox-history.ts'
import { signatureOf } from './signature.ts'

const credentials = { appId: 'sandboxapp', appSecret: 'polyv-sandbox-secret' }
const timestampToleranceMs = 3 * 60_000
const windowMs = 10_000

const tuning = z.object({
  callsPer10s: z.number().default(1_500),
  banMs: z.number().default(5 * 60_000),
  /** The largest page; whoever asks for more gets nothing, as on the newer endpoint. */
  pageLimit: z.number().default(1_000),
})

/** A failed call: the body's `code` is the HTTP status and `data` an empty string. */
class Refused extends Error {
  readonly code: 400 | 403
  constructor(code: 400 | 403, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Polyv's `getHistory`, strict about everything the docs name: signature over exactly what is sent, timestamp,
 * appId, channel, dates, and the ban beyond 1500 calls in 10 s. Options: `callsPer10s`, `banMs`, `pageLimit`.
 */
export function createSandbox(options: SandboxOptions): Sandbox {
  const { callsPer10s, banMs, pageLimit } = tuning.parse(options)
  const history = new SandboxHistory(options.seed, options.messagesPerHour)
  const limit = new CallLimit(callsPer10s, banMs)
  const served = new Served()
  const app = new Hono()

  app.get('/live/v2/chat/:channel/getHistory', (c) => {
    const nowMs = options.now()
    c.header('date', new Date(nowMs).toUTCString())
    try {
      limit.count(nowMs)
      const params = new URL(c.req.url).searchParams
      checkCaller(params, nowMs)
      const page = pageOf(params, select(history, c.req.param('channel'), params, nowMs), pageLimit)
      const data = page.map((message) => itemAt(message, nowMs))
      served.add(data)
      const answer = { code: 200, status: 'success', message: '', data }
      return c.body(stringifyLossless(answer), 200, { 'content-type': 'application/json;charset=utf-8' })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return c.json({ code: error.code, status: 'error', message: error.message, data: '' }, error.code)
    }
  })

  return {
    app,
    served: () => served.counts(),
    sourceConfig: (baseUrl) => ({
      name: 'live',
      provider: 'polyv',
      baseUrl,
      ...credentials,
      channels: [...sandboxChannels],
      pageSize: pageLimit,
      since: '72h',
      pollEvery: '3s',
      lookAgain: ['1m', '10m', '1h'],
      ratePer10s: Math.max(1, Math.floor(callsPer10s / 2)),
    }),
  }
}

function checkCaller(params: URLSearchParams, nowMs: number): void {
  const { sign, ...signed } = Object.fromEntries(params)
  if (!signed.appId) throw new Refused(400, 'appId not found.')
  if (signed.appId !== credentials.appId) throw new Refused(400, 'application not found.')
  if (!/^\d{13}$/.test(signed.timestamp ?? '')) throw new Refused(400, 'invalid timestamp.')
  const ageMs = nowMs - Number(signed.timestamp)
  if (ageMs > timestampToleranceMs) throw new Refused(400, 'ptime is too old.')
  if (ageMs < -timestampToleranceMs) throw new Refused(400, 'invalid timestamp.')
  // Implementations disagree on signing blank values, so whoever sends one cannot count on being understood.
  const hasBlank = Object.values(signed).some((value) => value.trim() === '')
  if (hasBlank || sign !== signatureOf(signed, credentials.appSecret))
    throw new Refused(403, 'invalid signature.')
}

/** All messages that the query asks for, oldest first; windows count whole seconds, the end included. */
function select(
  history: SandboxHistory,
  channel: string,
  params: URLSearchParams,
  nowMs: number,
): SandboxMessage[] {
  if (!/^\d+$/.test(channel)) throw new Refused(400, 'param type error')
  if (!sandboxChannels.includes(channel)) throw new Refused(400, 'channel not found.')
  const fromMs = timeParam(params, 'startDay', 0)
  const toMs = timeParam(params, 'endDay', 24 * 3_600_000 - 1_000)
  if (toMs < fromMs) throw new Refused(400, 'startDate can not great endDater')
  const status = oneOf(params, 'status', ['pass', 'censor'])
  const scope = oneOf(params, 'source', ['public', 'extend'])
  const roomId = params.get('roomId') ?? channel
  const userTypes = params.get('userType')?.split(',')
  return history
    .messages(channel, fromMs, toMs + 999, nowMs)
    .filter((message) => (statusAt(message, nowMs) === 'pass' ? 'pass' : 'censor') === status)
    .filter((message) => message.scope === scope && message.roomId === roomId)
    .filter((message) => userTypes?.includes(message.userType) ?? true)
}

function timeParam(params: URLSearchParams, name: string, ofDayMs: number): number {
  const text = params.get(name)
  if (!text) throw new Refused(400, `${name} can not be empty.`)
  const atMs = parseTime(text)
  if (atMs === null) throw new Refused(400, 'invalid date time format')
  return text.length === 10 ? atMs + ofDayMs : atMs
}

function oneOf(params: URLSearchParams, name: string, [usual, other]: readonly [string, string]): string {
  const value = params.get(name) ?? usual
  if (value !== usual && value !== other) throw new Refused(400, 'param validate error')
  return value
}

function pageOf(params: URLSearchParams, found: SandboxMessage[], pageLimit: number): SandboxMessage[] {
  const number = (name: string, fallback: number): number => {
    const text = params.get(name) ?? String(fallback)
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new Refused(400, `param is not digit: ${name}`)
    return Number(text)
  }
  const page = number('page', 1)
  const limit = number('limit', Math.min(1_000, pageLimit))
  return limit > pageLimit ? [] : found.slice((page - 1) * limit, page * limit)
}

/** The item as handed out now. Whether its sender is muted changes too, which is no change of the message. */
function itemAt(message: SandboxMessage, nowMs: number) {
  const isMuted = message.id.startsWith('7') && nowMs > message.atMs + 10 * 60_000
  const user = message.user && { ...message.user, banned: isMuted }
  return { ...message.item, id: message.id, status: statusAt(message, nowMs), user }
}

/** Counts calls in a sliding window; beyond the limit everything is refused until the ban is over. */
class CallLimit {
  readonly #calls: number[] = []
  readonly #callsPer10s: number
  readonly #banMs: number
  #bannedUntilMs = 0

  constructor(callsPer10s: number, banMs: number) {
    this.#callsPer10s = callsPer10s
    this.#banMs = banMs
  }

  count(nowMs: number): void {
    while (this.#calls[0] !== undefined && this.#calls[0] <= nowMs - windowMs) this.#calls.shift()
    this.#calls.push(nowMs)
    if (this.#calls.length > this.#callsPer10s) this.#bannedUntilMs = nowMs + this.#banMs
    if (nowMs < this.#bannedUntilMs) throw new Refused(400, 'qps exceeds number of calls')
  }
}

/** What has gone out. Of an item only the status changes its fingerprint. */
class Served {
  readonly #messages = new Set<string>()
  readonly #revisions = new Set<string>()
  #rows = 0

  add(items: readonly { id: string; status: string }[]): void {
    for (const { id, status } of items) {
      this.#rows++
      this.#messages.add(id)
      this.#revisions.add(`${id} ${status}`)
    }
  }

  counts(): { rows: number; messages: number; revisions: number } {
    return { rows: this.#rows, messages: this.#messages.size, revisions: this.#revisions.size }
  }
}
