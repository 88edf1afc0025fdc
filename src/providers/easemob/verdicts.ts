/**
 * What an answer of the Easemob REST interface means and what to do next. Everything known about its errors is in
 * the two tables below; the first rule that fits decides. Texts are matched in part and without case, because the
 * services spell them differently; `exception` is never looked at, one error comes with several (facts: Easemob
 * docs SEED0, WIKI, DOC23, DOCNEW; real bodies in QA, IMHIST).
 */

const minuteMs = 60_000

/** What an answer tells, whatever its shape. */
export interface Answer {
  status: number
  /** The body's `error` word; null where the body is no JSON or has none. */
  error: string | null
  /** `error_description`, or `desc` as one service calls it; `''` where there is none. */
  text: string
  /** The provider's own waiting time, should it ever send one. */
  retryAfterMs: number | null
}

/** How old an hour is, counted from its end, and how long the provider keeps it. */
export interface HourAge {
  ageMs: number
  retentionMs: number
}

/** What to do next; also the outcomes that requests are counted by. */
export type VerdictWord =
  | 'ready' // the body holds what was asked for
  | 'not_yet' // the hour's file is not made yet
  | 'empty' // nobody wrote in that hour
  | 'lost' // the provider no longer has the hour
  | 'throttled' // nobody may ask for a while
  | 'refresh' // fetch a new token and ask once more
  | 'stop' // asking again cannot help: a person must act
  | 'failed' // this call failed, a later one may not

/** The judgement on one answer. */
export interface Verdict {
  verdict: VerdictWord
  /** For the user, without anything from the answer but its status and error word. */
  reason: string
  mend?: string
  retryAfterMs?: number
}

interface Rule {
  status: number | readonly [from: number, to: number]
  /** Fits the `error` word; an answer without one fits only rules that leave this out. */
  error?: RegExp
  /** Fits the error text. */
  text?: RegExp
  /** Fits an hour the provider must still have, or one it need no longer have. */
  hour?: 'kept' | 'expired'
  verdict: VerdictWord
  reason: string
  mend?: string
  retryAfterMs?: number
}

const throttled: readonly Rule[] = [
  {
    status: 429,
    error: /resource_limited/i,
    verdict: 'throttled',
    reason: 'the limit of the app’s plan is used up',
    mend: 'Raise the plan of the app; asking more slowly does not help.',
    retryAfterMs: 60 * minuteMs,
  },
  { status: 429, verdict: 'throttled', reason: 'too many calls', retryAfterMs: minuteMs },
  { status: 503, verdict: 'throttled', reason: 'the service holds back calls', retryAfterMs: minuteMs },
]

const unknownApp: Rule = {
  status: 404,
  error: /organization_application_not_found/i,
  verdict: 'stop',
  reason: 'this cluster knows no such app',
  mend: 'Check org, app and baseUrl: a right app asked on the wrong cluster looks the same.',
}

const banned: Rule = {
  status: 403,
  error: /^forbidden/i,
  verdict: 'stop',
  reason: 'the app is barred from this service',
  mend: 'Ask Easemob why the service is closed to the app.',
}

const others: readonly Rule[] = [
  { status: [300, 399], verdict: 'failed', reason: 'redirected', mend: 'Check baseUrl (http or https).' },
  { status: [0, 999], verdict: 'failed', reason: 'unexpected answer' },
]

const hourRules: readonly Rule[] = [
  { status: 200, verdict: 'ready', reason: 'ready' },
  {
    status: 400,
    text: /unstored|expired/i,
    hour: 'kept',
    verdict: 'not_yet',
    reason: 'the file is not made yet',
  },
  {
    status: 400,
    text: /unstored|expired/i,
    hour: 'expired',
    verdict: 'lost',
    reason: 'the provider no longer has the hour',
  },
  {
    status: 400,
    error: /./,
    verdict: 'stop',
    reason: 'the service does not accept the request',
    mend: 'Check baseUrl; if it is right, this is a fault of chatfeed.',
  },
  { status: 404, error: /^storage_object_not_found$/i, verdict: 'empty', reason: 'no messages in this hour' },
  unknownApp,
  {
    status: 401,
    text: /does not have permission|no organization access/i,
    verdict: 'stop',
    reason: 'the credentials have no right to read the history',
    mend: 'Use the client id and secret of the app itself, from its page in the Easemob console.',
  },
  { status: 401, verdict: 'refresh', reason: 'the token is not accepted' },
  banned,
  ...throttled,
  ...others,
]

const tokenRules: readonly Rule[] = [
  { status: 200, verdict: 'ready', reason: 'ready' },
  {
    status: [400, 401],
    error: /invalid_grant|illegal_argument|unauthorized/i,
    verdict: 'stop',
    reason: 'the client id and secret are not accepted',
    mend: 'Check clientId and clientSecret against the Easemob console.',
  },
  unknownApp,
  banned,
  ...throttled,
  ...others,
]

/** Judges an answer to `GET …/chatmessages/{hour}`. */
export function judgeHour(answer: Answer, { ageMs, retentionMs }: HourAge): Verdict {
  const verdict = judge(hourRules, answer, ageMs < retentionMs ? 'kept' : 'expired')
  return verdict.verdict === 'not_yet' ? { ...verdict, retryAfterMs: waitForFile(ageMs) } : verdict
}

/** Judges an answer to `POST …/token`: `ready`, `stop`, `throttled` or `failed`. */
export function judgeToken(answer: Answer): Verdict {
  return judge(tokenRules, answer)
}

/** A file comes within the hour as a rule, or a day late in busy apps: the older the hour, the slower the asking. */
function waitForFile(ageMs: number): number {
  return Math.min(Math.max(Math.round(ageMs / 6), minuteMs), 10 * minuteMs)
}

function judge(rules: readonly Rule[], answer: Answer, hour?: Rule['hour']): Verdict {
  const rule = rules.find((candidate) => fits(candidate, answer, hour))!
  const { verdict, mend } = rule
  const word = answer.error !== null && /^\w{1,60}$/.test(answer.error) ? ` ${answer.error}` : ''
  const retryAfterMs = answer.retryAfterMs ?? rule.retryAfterMs
  return {
    verdict,
    reason: `${rule.reason} (${answer.status}${word})`,
    ...(mend !== undefined && { mend }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

function fits(rule: Rule, { status, error, text }: Answer, hour: Rule['hour']): boolean {
  const [from, to] = typeof rule.status === 'number' ? [rule.status, rule.status] : rule.status
  return (
    status >= from &&
    status <= to &&
    (rule.error === undefined || (error !== null && rule.error.test(error))) &&
    (rule.text === undefined || rule.text.test(text)) &&
    (rule.hour === undefined || rule.hour === hour)
  )
}
