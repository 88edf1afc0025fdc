/**
 * What the errors of the Easemob REST interface mean, one table an interface; the two of the history are in
 * `history-rules.ts`. Texts are matched in part and without case, because the services spell them differently;
 * `exception` is never looked at, one error comes with several (facts: Easemob docs SEED0, WIKI, DOC23, DOCNEW; real
 * bodies in QA, IMHIST).
 */
const minuteMs = 60_000

/** What to do next; also the outcomes that requests are counted by. */
export type VerdictWord =
  | 'ready' // the body holds what was asked for
  | 'not_yet' // the hour's file is not made yet
  | 'empty' // nobody wrote in that hour
  | 'lost' // the provider no longer has the hour
  | 'no_user' // there is no such user
  | 'throttled' // nobody may ask for a while
  | 'refresh' // fetch a new token and ask once more
  | 'stop' // asking again cannot help: a person must act
  | 'failed' // this call failed, a later one may not

/** A kind of answer and what it means; a member that is left out fits anything. */
export interface Rule {
  status: number | readonly [from: number, to: number]
  /** Fits the `error` word; an answer without one fits only rules that leave this out. */
  error?: RegExp
  /** Fits the error text. */
  text?: RegExp
  /** Fits an hour the provider must still have, or one it need no longer have. */
  hour?: 'kept' | 'expired'
  verdict: VerdictWord
  reason: string
  code?: string
  mend?: string
  retryAfterMs?: number
}

/** An answer of success, unless it names an error. */
export const success: readonly Rule[] = [
  { status: 200, error: /./, verdict: 'failed', reason: 'an error in an answer of success' },
  { status: 200, verdict: 'ready', reason: 'ready' },
]

/** The app does not exist here. */
export const unknownApp: Rule = {
  status: 404,
  error: /^organization_application_not_found$/i,
  verdict: 'stop',
  reason: 'this cluster knows no such app',
  code: 'unknown_app',
  mend: 'Check org, app and baseUrl: a right app asked on the wrong cluster looks the same.',
}

const lacksRight = /does not have permission|no permission|no organization access/i

/** The token is refused, for good where a right is missing. */
export const unauthorized: readonly Rule[] = [
  {
    status: 401,
    text: lacksRight,
    verdict: 'stop',
    reason: 'the credentials have no right to read the history',
    code: 'no_right',
    mend: 'Use the client id and secret of the app itself, from its page in the Easemob console.',
  },
  { status: 401, verdict: 'refresh', reason: 'the token is not accepted' },
]

/** The app is banned. A gateway's word is `Forbidden` alone. */
export const barred: Rule = {
  status: 403,
  error: /^forbidden_/i,
  verdict: 'stop',
  reason: 'the app is barred from this service',
  code: 'barred',
  mend: 'Ask Easemob why the service is closed to the app.',
}

/** Nobody may ask for a while. */
export const throttled: readonly Rule[] = [
  {
    status: 429,
    error: /^resource_limited$/i,
    verdict: 'throttled',
    reason: 'the limit of the app’s plan is used up',
    mend: 'Raise the plan of the app; asking more slowly does not help.',
    retryAfterMs: 60 * minuteMs,
  },
  { status: 429, verdict: 'throttled', reason: 'too many calls', retryAfterMs: minuteMs },
  { status: 503, verdict: 'throttled', reason: 'the service holds back calls', retryAfterMs: minuteMs },
]

/** Whatever no other rule knows; comes last. */
export const others: readonly Rule[] = [
  { status: [300, 399], verdict: 'failed', reason: 'redirected', mend: 'Check baseUrl (http or https).' },
  { status: [0, 999], verdict: 'failed', reason: 'unexpected answer' },
]

/** `GET …/users/{user}/offline_msg_count`. What is closed here concerns the counts alone. */
export const unreadRules: readonly Rule[] = [
  ...success,
  {
    status: 404,
    error: /^service_resource_not_found$/i,
    verdict: 'no_user',
    reason: 'there is no such user',
  },
  unknownApp,
  {
    status: 401,
    text: lacksRight,
    verdict: 'failed',
    reason: 'the credentials have no right to read counts',
  },
  { status: 401, verdict: 'refresh', reason: 'the token is not accepted' },
  { status: 403, verdict: 'failed', reason: 'the app is barred from this service' },
  {
    status: 429,
    error: /^resource_limited$/i,
    verdict: 'failed',
    reason: 'the app’s plan has no more counts',
  },
  ...throttled,
  ...others,
]

const wrongCredentials = {
  verdict: 'stop',
  reason: 'the client id and secret are not accepted',
  code: 'credentials',
  mend: 'Check clientId and clientSecret against the Easemob console.',
} as const

/** `POST …/token`. A gateway can answer 401 as well; only the service has an error word or a text. */
export const tokenRules: readonly Rule[] = [
  ...success,
  { status: 400, error: /invalid_grant|invalid_client|illegal_argument|unauthorized/i, ...wrongCredentials },
  { status: 401, error: /./, ...wrongCredentials },
  { status: 401, text: /./, ...wrongCredentials },
  unknownApp,
  barred,
  ...throttled,
  ...others,
]
