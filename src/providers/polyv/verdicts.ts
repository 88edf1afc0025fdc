import { membersOf } from '../slices.ts'

/** An answer of the service, whatever its HTTP status: the status is the body's `code` once more. */
export interface Answer {
  httpStatus: number
  body: Buffer
}

/**
 * What an answer means:
 * - `ok`: the body holds data;
 * - `throttled`: nobody asks for `retryAfterMs`;
 * - `clock`: the timestamp was not accepted;
 * - `transient`: the same call can succeed later;
 * - `refused`: this call cannot succeed, others can: only the unit fails, with the reason;
 * - `fatal`: no call of this account can succeed.
 *
 * `code` is a stable word; `reason` and `mend` are written for the user.
 */
export type Verdict =
  | { kind: 'ok'; code: 'ok' }
  | {
      kind: 'throttled' | 'clock' | 'transient' | 'refused' | 'fatal'
      code: string
      reason: string
      mend?: string
      retryAfterMs?: number
    }

type Complaint = Exclude<Verdict, { kind: 'ok' }>

/** Over 1500 calls in 10 s an address is blocked for five minutes (facts: Polyv Java SDK, limits). */
export const banMs = 5 * 60_000

const throttled: Complaint = {
  kind: 'throttled',
  code: 'throttled',
  reason: 'Polyv counts too many calls from this address.',
  mend: 'Lower ratePer10s: all programs behind this address share 1500 calls per 10 s.',
  retryAfterMs: banMs,
}
const wrongSecret: Complaint = {
  kind: 'fatal',
  code: 'wrong_secret',
  reason: 'Polyv does not accept the signature.',
  mend: 'Copy appSecret again from the Polyv console, Cloud live, Developer.',
}
const wrongApp: Complaint = {
  kind: 'fatal',
  code: 'wrong_app',
  reason: 'Polyv does not know this appId.',
  mend: 'Copy appId again from the Polyv console, Cloud live, Developer.',
}
const channelGone: Complaint = {
  kind: 'refused',
  code: 'channel_gone',
  reason: 'Polyv has no such channel in this account.',
  mend: 'Correct the number under channels, or take it out.',
}
const forbidden: Complaint = {
  kind: 'refused',
  code: 'forbidden',
  reason: 'Polyv forbids this account to read the chat of this channel.',
  mend: 'Ask Polyv to open the chat interface for the account.',
}
const wrongClock: Complaint = {
  kind: 'clock',
  code: 'clock',
  reason: 'Polyv does not accept the timestamp: more than three minutes lie between its clock and ours.',
  mend: 'Set the clock of this machine (NTP).',
}
const serverTrouble: Complaint = {
  kind: 'transient',
  code: 'server_error',
  reason: 'Polyv reports a fault of its own.',
}
const encrypted: Complaint = {
  kind: 'fatal',
  code: 'encrypted',
  reason: 'Polyv answers encrypted, which chatfeed does not read.',
  mend: 'Ask Polyv to turn off encrypted answers for this appId.',
}
const badRequest: Complaint = {
  kind: 'refused',
  code: 'bad_request',
  reason: 'Polyv does not accept the call.',
}

/**
 * By message text, first match: the one thing that all pages of the documentation agree on. The code of a wrong
 * signature is 400, 401 or 403 depending on the page (facts: Polyv error tables, recorded answers).
 */
const byText: readonly (readonly [RegExp, Complaint])[] = [
  [/qps exceeds|too many requests/i, throttled],
  [/invalid timestamp|ptime is too old|timestamp (?:is )?(?:expired|invalid)/i, wrongClock],
  [/invalid sign|sign(?:ature)? (?:is )?(?:invalid|error)/i, wrongSecret],
  [/application not found|appId (?:not found|is required)/i, wrongApp],
  [/channel not found|illegal channel ?id|param type error/i, channelGone],
  [/access forbidden/i, forbidden],
  [/api error/i, serverTrouble],
  [/startDay|endDay|startDate|endDate|date ?time format|^param /i, badRequest],
]

/** By the body's code, where the text is new to us. */
const byCode: readonly (readonly [(code: number) => boolean, Complaint])[] = [
  [(code) => code === 429, throttled],
  [(code) => code === 401, wrongSecret],
  [(code) => code === 403, forbidden],
  [(code) => code >= 400 && code < 500, badRequest],
]

/** Decides about an answer: by message text, then by the body's code, then by the HTTP status. */
export function verdictOf({ httpStatus, body }: Answer): Verdict {
  const envelope = readEnvelope(body)
  if (envelope === null) {
    if (httpStatus === 429) return throttled
    const reason = `Something before Polyv answers HTTP ${httpStatus} with a page that is not Polyv's.`
    return { kind: 'transient', code: 'gateway', reason }
  }
  const { code, status, text } = envelope
  if (code === 200 && status === 'success') {
    if (envelope.encrypted) return encrypted
    if (envelope.hasData && httpStatus < 300) return { kind: 'ok', code: 'ok' }
    return { ...serverTrouble, reason: `Polyv answers success without data (HTTP ${httpStatus}).` }
  }
  const row =
    byText.find(([pattern]) => pattern.test(text)) ?? byCode.find(([matches]) => matches(code ?? httpStatus))
  const complaint = row?.[1] ?? serverTrouble
  const evidence = `${quoted(text)}code ${code ?? 'none'}, HTTP ${httpStatus}`
  return { ...complaint, reason: `${complaint.reason} (${evidence})` }
}

interface Envelope {
  code: number | null
  status: string
  /** `message`, or `error.desc` of the v4 form. */
  text: string
  encrypted: boolean
  /** False for the `""` and `null` that stand in place of data. */
  hasData: boolean
}

/** The frame of an answer, read without its data: one broken item must not make an answer unreadable. */
function readEnvelope(body: Buffer): Envelope | null {
  const members = membersOf(body)
  if (!members) return null
  const value = (name: string): unknown => parseOrNull(members.get(name))
  const error = value('error')
  const desc = typeof error === 'object' && error !== null && 'desc' in error ? error.desc : undefined
  const code = value('code')
  const data = members.get('data')
  return {
    code: typeof code === 'number' ? code : null,
    status: textOf(value('status')),
    text: textOf(value('message')) || textOf(desc),
    encrypted: value('encryption') === true,
    hasData: data !== undefined && (data[0] === 0x5b || data[0] === 0x7b),
  }
}

function parseOrNull(json: Buffer | undefined): unknown {
  if (!json) return null
  try {
    return JSON.parse(json.toString())
  } catch {
    return null // A frame member that cannot be read counts as missing; the verdict then rests on the others.
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The service's own words for the user, without anything that could be a signature or a key. */
function quoted(text: string): string {
  return text && `“${text.slice(0, 120).replace(/[0-9a-z]{16,}/gi, '…')}”, `
}
