import { signatureOf } from '../client/signature.ts'

/** The only account that the simulation knows. */
export const credentials = { appId: 'sandboxapp', appSecret: 'polyv-sandbox-secret' }

const timestampToleranceMs = 3 * 60_000
const windowMs = 10_000

/** A failed call: the body's `code` is the HTTP status and `data` an empty string. */
export class Refused extends Error {
  readonly code: 400 | 403
  constructor(code: 400 | 403, message: string) {
    super(message)
    this.code = code
  }
}

/** Everything a call sends as parameters: the query, and with POST the form in the body. */
export async function sentParams(request: Request): Promise<URLSearchParams> {
  const params = new URL(request.url).searchParams
  const isForm = /^application\/x-www-form-urlencoded\b/.test(request.headers.get('content-type') ?? '')
  if (request.method !== 'POST' || !isForm) return params
  return new URLSearchParams([...params, ...new URLSearchParams(await request.text())])
}

/** Refuses a call whose signature is not over exactly what is sent, or whose timestamp is off. */
export function checkCaller(params: URLSearchParams, nowMs: number, path: string): void {
  const { sign, ...signed } = Object.fromEntries(params)
  if (!signed.appId)
    throw new Refused(400, path.startsWith('/live/v2/') ? 'appId not found.' : 'appId is required.')
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

/** Counts calls in a sliding window; beyond the limit everything is refused until the ban is over. */
export class CallLimit {
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
