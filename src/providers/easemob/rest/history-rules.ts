/** What the errors of the two history interfaces mean (facts: Easemob docs SEED0, WIKI, DOCNEW; real bodies in IMHIST). */
import { barred, others, type Rule, success, throttled, unauthorized, unknownApp } from './rules.ts'

/**
 * `GET …/chatmessages/{hour}`. Whatever a 400 says – the text can be missing – it speaks of this hour, for the hour is
 * all that differs between the calls: it never stops the source.
 */
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
    error: /^illegal_argument$/i,
    hour: 'expired',
    verdict: 'lost',
    reason: 'the provider no longer has the hour',
  },
  { status: 400, verdict: 'failed', reason: 'the service refuses this hour' },
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

/** The same with a cursor, which can have died: the query itself has been accepted before. */
export const nextPageRules: readonly Rule[] = [
  { status: 400, verdict: 'failed', reason: 'the service does not accept its own cursor' },
  ...pullRules,
]
