/**
 * Everything known about the errors of the Easemob REST interface, one table an interface. Texts are matched in part
 * and without case, because the services spell them differently; `exception` is never looked at, one error comes with
 * several (facts: Easemob docs SEED0, WIKI, DOC23, DOCNEW; real bodies in QA, IMHIST).
 */
import type { VerdictWord } from './verdicts.ts'

const minuteMs = 60_000

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

const success: readonly Rule[] = [
  { status: 200, error: /./, verdict: 'failed', reason: 'an error in an answer of success' },
  { status: 200, verdict: 'ready', reason: 'ready' },
]

const unknownApp: Rule = {
  status: 404,
  error: /^organization_application_not_found$/i,
  verdict: 'stop',
  reason: 'this cluster knows no such app',
  code: 'unknown_app',
  mend: 'Check org, app and baseUrl: a right app asked on the wrong cluster looks the same.',
}

const lacksRight = /does not have permission|no permission|no organization access/i

const unauthorized: readonly Rule[] = [
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

const barred: Rule = {
  status: 403,
  error: /^forbidden/i,
  verdict: 'stop',
  reason: 'the app is barred from this service',
  code: 'barred',
  mend: 'Ask Easemob why the service is closed to the app.',
}

const throttled: readonly Rule[] = [
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

const others: readonly Rule[] = [
  { status: [300, 399], verdict: 'failed', reason: 'redirected', mend: 'Check baseUrl (http or https).' },
  { status: [0, 999], verdict: 'failed', reason: 'unexpected answer' },
]

/** `GET …/chatmessages/{hour}`. */
export const hourRules: readonly Rule[] = [
  ...success,
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
    code: 'refused',
    mend: 'Check baseUrl; if it is right, this is a fault of chatfeed.',
  },
  { status: 404, error: /^storage_object_not_found$/i, verdict: 'empty', reason: 'no messages in this hour' },
  unknownApp,
  ...unauthorized,
  barred,
  ...throttled,
  ...others,
]

/** `GET …/chatmessages?ql=…`, retired by the provider since 2017: it knows no hours, and no word for an empty one. */
export const pullRules: readonly Rule[] = [
  ...success,
  {
    status: 400,
    error: /./,
    verdict: 'stop',
    reason: 'the service does not accept the query',
    code: 'refused',
    mend: 'The pull interface is retired: set mode to files, unless your cluster is known to have it still.',
  },
  unknownApp,
  {
    status: 404,
    error: /./,
    verdict: 'failed',
    reason: 'the cluster seems to have no pull interface',
    mend: 'Set mode to files.',
  },
  ...unauthorized,
  barred,
  ...throttled,
  ...others,
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

/** `POST …/token`. */
export const tokenRules: readonly Rule[] = [
  ...success,
  {
    status: [400, 401],
    error: /invalid_grant|illegal_argument|unauthorized/i,
    verdict: 'stop',
    reason: 'the client id and secret are not accepted',
    code: 'credentials',
    mend: 'Check clientId and clientSecret against the Easemob console.',
  },
  {
    status: 401,
    text: /unauthorized/i,
    verdict: 'stop',
    reason: 'the client id and secret are not accepted',
    code: 'credentials',
    mend: 'Check clientId and clientSecret against the Easemob console.',
  },
  unknownApp,
  barred,
  ...throttled,
  ...others,
]
