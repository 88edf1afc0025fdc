/**
 * What an answer of the Easemob REST interface means and what to do next: the first rule of the interface's table that
 * fits decides.
 */
import { hourRules, nextPageRules, pullRules } from './history-rules.ts'
import { type Rule, tokenRules, unreadRules, type VerdictWord } from './rules.ts'

const minuteMs = 60_000
/** A service that says "retry after 0" gets a breath all the same. */
const leastWaitMs = 1_000

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

/** The judgement on one answer. */
export interface Verdict {
  verdict: VerdictWord
  /** For the user, without anything from the answer but its status and error word. */
  reason: string
  /** With `stop`: the stable code of the error that it ends in. */
  code?: string
  mend?: string
  retryAfterMs?: number
}

/** Judges an answer to `GET …/chatmessages/{hour}`. */
export function judgeHour(answer: Answer, { ageMs, retentionMs }: HourAge): Verdict {
  const verdict = judge(hourRules, answer, ageMs < retentionMs ? 'kept' : 'expired')
  return answer.status === 400 ? { retryAfterMs: waitForFile(ageMs), ...verdict } : verdict
}

/** Judges an answer to `GET …/chatmessages?ql=…`: `ready`, `refresh`, `stop`, `throttled` or `failed`. */
export function judgePull(answer: Answer, { hasCursor }: { hasCursor: boolean }): Verdict {
  return judge(hasCursor ? nextPageRules : pullRules, answer)
}

/**
 * Judges an answer to `GET …/offline_msg_count`: `ready`, `no_user`, `refresh`, `throttled`, `failed`, or `stop` for
 * an app that does not exist. A service that is closed to the app is `failed` here: messages can still be read.
 */
export function judgeUnread(answer: Answer): Verdict {
  return judge(unreadRules, answer)
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
  const { verdict, code, mend } = rule
  const word = answer.error !== null && /^\w{1,60}$/.test(answer.error) ? ` ${answer.error}` : ''
  const told = answer.retryAfterMs === null ? undefined : Math.max(answer.retryAfterMs, leastWaitMs)
  const retryAfterMs = told ?? rule.retryAfterMs
  return {
    verdict,
    reason: `${rule.reason} (${answer.status}${word})`,
    ...(code !== undefined && { code }),
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
