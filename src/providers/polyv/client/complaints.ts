/**
 * What an answer means:
 * - `ok`: the body holds data;
 * - `throttled`: nobody asks for `retryAfterMs`;
 * - `clock`: the timestamp was not accepted;
 * - `transient`: the same call can succeed later, if told after `retryAfterMs`;
 * - `trouble`: the same, but the service itself says so of this call: others may well succeed;
 * - `refused`: this call cannot succeed, others can: only the unit fails, with the reason, for `retryAfterMs`;
 * - `fatal`: no call of this account can succeed.
 *
 * `code` is a stable word; `reason` and `mend` are written for the user.
 */
export type Verdict =
  | { kind: 'ok'; code: 'ok' }
  | {
      kind: 'throttled' | 'clock' | 'transient' | 'trouble' | 'refused' | 'fatal'
      code: string
      reason: string
      mend?: string
      retryAfterMs?: number
    }

/** What went wrong. */
export type Complaint = Exclude<Verdict, { kind: 'ok' }>

/** A refused call is made again, in case the account is put right, but not at the pace of polling. */
const refusedRetryMs = 10 * 60_000

/** Over 1500 calls in 10 s an address is blocked for five minutes (facts: Polyv Java SDK, limits). */
export const banMs = 5 * 60_000

/** The ban, or its announcement. */
export const throttled: Complaint = {
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
  retryAfterMs: refusedRetryMs,
}
const forbidden: Complaint = {
  kind: 'refused',
  code: 'forbidden',
  reason: 'Polyv forbids this account to read the chat of this channel.',
  mend: 'Ask Polyv to open the chat interface for the account.',
  retryAfterMs: refusedRetryMs,
}
const wrongClock: Complaint = {
  kind: 'clock',
  code: 'clock',
  reason: 'Polyv does not accept the timestamp: more than three minutes lie between its clock and ours.',
  mend: 'Set the clock of this machine (NTP).',
}
/** Whatever nothing else explains. */
export const serverTrouble: Complaint = {
  kind: 'trouble',
  code: 'server_error',
  reason: 'Polyv reports a fault of its own.',
  mend: 'If it stays, show Polyv this answer.',
}
/** Never asked for; see `encryptResponseType` of the docs. */
export const encrypted: Complaint = {
  kind: 'fatal',
  code: 'encrypted',
  reason: 'Polyv answers encrypted, which chatfeed does not read.',
  mend: 'Ask Polyv to turn off encrypted answers for this appId.',
}
const badRequest: Complaint = {
  kind: 'refused',
  code: 'bad_request',
  reason: 'Polyv does not accept the call.',
  retryAfterMs: refusedRetryMs,
}

/** `reason` is told where the HTTP status is known. */
export const gateway: Complaint = {
  kind: 'transient',
  code: 'gateway',
  reason: '',
  mend: 'Check baseUrl, and proxies on the way.',
}
/** Never an empty page: an hour without messages has an empty list. The scheduler asks again. */
export const withoutData: Complaint = {
  kind: 'refused',
  code: 'answer_shape',
  reason: 'Polyv answers success without data.',
}

/**
 * By message text, first match: the one thing that all pages of the documentation agree on. The code of a wrong
 * signature is 400, 401 or 403 depending on the page (facts: Polyv error tables, recorded answers).
 */
export const byText: readonly (readonly [RegExp, Complaint])[] = [
  [/qps exceeds|too (?:many requests|frequent)|rate limit/i, throttled],
  [/invalid timestamp|ptime is too old|timestamp (?:is )?(?:expired|invalid)/i, wrongClock],
  [/invalid sign|sign(?:ature)? (?:is )?(?:invalid|error)/i, wrongSecret],
  [/application not found|appId (?:not found|is required)/i, wrongApp],
  [
    /channel(?: ?id)?(?: is| does)? (?:not (?:found|exist)|deleted)|illegal channel ?id|param type error/i,
    channelGone,
  ],
  [/access forbidden/i, forbidden],
  [/api error/i, serverTrouble],
  [/startDay|endDay|startDate|endDate|date ?time format|^param /i, badRequest],
]

/** By the body's code, where the text is new to us. */
export const byCode: readonly (readonly [(code: number) => boolean, Complaint])[] = [
  [(code) => code === 429, throttled],
  [(code) => code === 401, wrongSecret],
  [(code) => code === 403, forbidden],
  [(code) => code >= 400 && code < 500, badRequest],
]
