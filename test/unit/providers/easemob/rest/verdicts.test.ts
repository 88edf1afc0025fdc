import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Answer,
  judgeHour,
  judgePull,
  judgeToken,
  judgeUnread,
} from '../../../../../src/providers/easemob/rest/verdicts.ts'

const hour = 3_600_000
const retentionMs = 72 * hour
const answer = (status: number, error: string | null = null, text = ''): Answer => ({
  status,
  error,
  text,
  retryAfterMs: null,
})
const unstored =
  'illegal arguments: appkey: acme#helpdesk, time: 2026112310, maybe chat message history is expired or unstored'
const noPermission = 'Subject does not have permission [applications:get:0:/chatmessages]'

const hourTable: [number, string | null, string, number, string][] = [
  [200, null, '', 2 * hour, 'ready'],
  [400, 'illegal_argument', unstored, -hour, 'not_yet'],
  [400, 'illegal_argument', unstored, hour, 'not_yet'],
  [400, 'illegal_argument', unstored, retentionMs - 1, 'not_yet'],
  [400, 'illegal_argument', unstored, retentionMs, 'lost'],
  [400, 'Illegal_Argument', unstored.replace('illegal', 'Illegal').toUpperCase(), hour, 'not_yet'],
  [400, 'illegal_argument', 'illegal arguments: appkey: acme#helpdesk, time: 20261123', hour, 'failed'],
  [400, 'illegal_argument', 'This chatmessage request is not supported', hour, 'failed'],
  [400, 'illegal_argument', '', hour, 'failed'],
  [400, 'illegal_argument', '', retentionMs, 'lost'],
  [400, 'json_parse', '', hour, 'failed'],
  [400, 'invalid_parameter', '', retentionMs, 'failed'],
  [400, null, '', hour, 'failed'],
  [404, 'storage_object_not_found', 'Failed to find chat message history download url', hour, 'empty'],
  [404, 'storage_object_not_found', '', 100 * hour, 'empty'],
  [404, 'organization_application_not_found', 'Could not find application for acme/helpdesk', hour, 'stop'],
  [404, 'service_resource_not_found', 'Service resource not found', hour, 'failed'],
  [404, 'entity_not_found', '', hour, 'failed'],
  [404, null, '', hour, 'failed'],
  [401, 'unauthorized', '', hour, 'refresh'],
  [401, null, 'unauthorized', hour, 'refresh'],
  [401, null, '', hour, 'refresh'],
  [401, 'unauthorized', 'Unable to authenticate due to expired access token', hour, 'refresh'],
  [401, 'unauthorized', 'Unable to authenticate (OAuth)', hour, 'refresh'],
  [401, 'auth_bad_access_token', 'Unable to authenticate due to corrupt access token', hour, 'refresh'],
  [401, 'unauthorized', noPermission, hour, 'stop'],
  [401, 'unauthorized', noPermission.toUpperCase(), hour, 'stop'],
  [401, 'unauthorized', 'No organization access authorized', hour, 'stop'],
  [403, 'forbidden_service_operation', 'Service operation not allowed', hour, 'stop'],
  [403, 'forbidden_op', '', hour, 'stop'],
  [403, 'Forbidden', '', hour, 'failed'],
  [403, null, '', hour, 'failed'],
  [429, 'reach_limit', 'This request has reached api limit', hour, 'throttled'],
  [429, 'reach_limit', 'This request has reached api limit.', hour, 'throttled'],
  [429, 'resource_limited', 'You have exceeded the limit of the Free edition', hour, 'throttled'],
  [429, null, '', hour, 'throttled'],
  [503, null, '', hour, 'throttled'],
  [500, 'web_application', '', hour, 'failed'],
  [502, null, '', hour, 'failed'],
  [504, null, '', hour, 'failed'],
  [408, null, '', hour, 'failed'],
  [302, null, '', hour, 'failed'],
  [204, null, '', hour, 'failed'],
  [200, 'illegal_argument', unstored, hour, 'failed'],
  [400, null, unstored, hour, 'not_yet'],
  [404, 'Storage_Object_NOT_Found', '', hour, 'empty'],
  [404, 'ORGANIZATION_APPLICATION_NOT_FOUND', '', hour, 'stop'],
  [404, 'no_storage_object_not_found_here', '', hour, 'failed'],
  [401, 'unauthorized', 'no permission', hour, 'stop'],
  [413, null, '', hour, 'failed'],
  [415, 'web_application', '', hour, 'failed'],
  [500, 'no_full_text_index', '', hour, 'failed'],
  [500, 'unsupported_service_operation', '', hour, 'failed'],
  [501, null, '', hour, 'failed'],
]

for (const [status, error, text, ageMs, expected] of hourTable) {
  const name = [status, error ?? 'no error word', text.slice(0, 60), `${ageMs / hour} h old`].join(', ')
  test(`hour: ${name} means ${expected}`, () => {
    const verdict = judgeHour(answer(status, error, text), { ageMs, retentionMs })
    assert.equal(verdict.verdict, expected)
    if (expected === 'stop') assert.ok(verdict.mend, 'a person must be told what to do')
  })
}

const pullTable: [number, string | null, string, string][] = [
  [200, null, '', 'ready'],
  [200, 'illegal_argument', '', 'failed'],
  [400, 'illegal_argument', 'The query cannot be parsed', 'stop'],
  [400, 'illegal_argument', unstored, 'stop'],
  [400, 'illegal_argument', '', 'stop'],
  [400, null, '', 'failed'],
  [404, 'organization_application_not_found', '', 'stop'],
  [404, 'service_resource_not_found', '', 'failed'],
  [404, 'storage_object_not_found', '', 'failed'],
  [404, null, '', 'failed'],
  [401, 'unauthorized', '', 'refresh'],
  [401, null, '', 'refresh'],
  [401, 'unauthorized', noPermission, 'stop'],
  [403, 'forbidden_service_operation', '', 'stop'],
  [403, null, '', 'failed'],
  [429, 'reach_limit', '', 'throttled'],
  [429, 'resource_limited', '', 'throttled'],
  [503, null, '', 'throttled'],
  [500, 'no_full_text_index', '', 'failed'],
  [502, null, '', 'failed'],
  [302, null, '', 'failed'],
]

for (const [status, error, text, expected] of pullTable) {
  test(`pull: ${[status, error ?? 'no error word', text.slice(0, 40)].join(', ')} means ${expected}`, () => {
    const first = judgePull(answer(status, error, text), { hasCursor: false })
    assert.equal(first.verdict, expected)
    if (expected === 'stop') assert.ok(first.mend, 'a person must be told what to do')
    const later = judgePull(answer(status, error, text), { hasCursor: true })
    assert.equal(later.verdict, status === 400 ? 'failed' : expected)
  })
}

const unreadTable: [number, string | null, string, string][] = [
  [200, null, '', 'ready'],
  [200, 'oops', '', 'failed'],
  [404, 'service_resource_not_found', 'Service resource not found', 'no_user'],
  [404, 'organization_application_not_found', '', 'stop'],
  [404, null, '', 'failed'],
  [401, 'unauthorized', '', 'refresh'],
  [401, 'unauthorized', noPermission, 'failed'],
  [403, 'forbidden_service_operation', '', 'failed'],
  [403, null, '', 'failed'],
  [400, 'illegal_argument', '', 'failed'],
  [429, 'reach_limit', '', 'throttled'],
  [429, 'resource_limited', '', 'failed'],
  [503, null, '', 'throttled'],
  [500, null, '', 'failed'],
]

for (const [status, error, text, expected] of unreadTable) {
  test(`unread: ${[status, error ?? 'no error word', text.slice(0, 40)].join(', ')} means ${expected}`, () => {
    assert.equal(judgeUnread(answer(status, error, text)).verdict, expected)
  })
}

const tokenTable: [number, string | null, string, string][] = [
  [200, null, '', 'ready'],
  [400, 'illegal_argument', 'client_id must be provided.', 'stop'],
  [400, 'invalid_grant', 'client_id does not match', 'stop'],
  [400, 'invalid_grant', 'client_secret does not match', 'stop'],
  [401, 'unauthorized', '', 'stop'],
  [401, null, 'unauthorized', 'stop'],
  [401, null, 'client_id does not match', 'stop'],
  [401, 'invalid_client', '', 'stop'],
  [401, 'auth_bad_access_token', '', 'stop'],
  [401, null, '', 'failed'],
  [400, 'invalid_client', '', 'stop'],
  [400, 'unauthorized_client', '', 'stop'],
  [400, 'json_parse', '', 'failed'],
  [200, 'invalid_grant', '', 'failed'],
  [429, 'resource_limited', '', 'throttled'],
  [502, null, '', 'failed'],
  [404, 'organization_application_not_found', 'Could not find application for acme/helpdesk', 'stop'],
  [403, 'forbidden_op', '', 'stop'],
  [429, 'reach_limit', '', 'throttled'],
  [503, null, '', 'throttled'],
  [400, null, '', 'failed'],
  [404, null, '', 'failed'],
  [500, 'web_application', '', 'failed'],
]

for (const [status, error, text, expected] of tokenTable) {
  test(`token: ${[status, error ?? 'no error word', text].join(', ')} means ${expected}`, () => {
    assert.equal(judgeToken(answer(status, error, text)).verdict, expected)
  })
}

test('the older an hour without a file, the slower it is asked for', () => {
  const waits = [-hour, 6 * 60_000, 30 * 60_000, 24 * hour].map(
    (ageMs) => judgeHour(answer(400, 'illegal_argument', unstored), { ageMs, retentionMs }).retryAfterMs,
  )
  assert.deepEqual(waits, [60_000, 60_000, 300_000, 600_000])
})

test('an hour that is refused is asked for again as slowly as one without a file', () => {
  const waits = [answer(400, 'illegal_argument'), answer(400, 'json_parse', 'x'), answer(400)].map(
    (refused) => judgeHour(refused, { ageMs: hour, retentionMs }).retryAfterMs,
  )
  assert.deepEqual(waits, [600_000, 600_000, 600_000])
  const told = { ...answer(400, 'illegal_argument'), retryAfterMs: 1_800_000 }
  assert.equal(judgeHour(told, { ageMs: hour, retentionMs }).retryAfterMs, 1_800_000)
})

test('a used-up plan is not asked again every minute', () => {
  const age = { ageMs: hour, retentionMs }
  assert.equal(judgeHour(answer(429, 'resource_limited'), age).retryAfterMs, hour)
  assert.equal(judgeHour(answer(429, 'reach_limit'), age).retryAfterMs, 60_000)
})

test('the waiting time of the provider goes before ours', () => {
  const throttled = { ...answer(429, 'reach_limit'), retryAfterMs: 7000 }
  assert.equal(judgeHour(throttled, { ageMs: hour, retentionMs }).retryAfterMs, 7000)
  const atOnce = { ...throttled, retryAfterMs: 0 }
  assert.equal(judgeHour(atOnce, { ageMs: hour, retentionMs }).retryAfterMs, 1000)
})

test('a reason names status and error word and nothing else of the answer', () => {
  const { reason } = judgeHour(answer(404, 'entity_not_found', 'file of wang.wei'), {
    ageMs: hour,
    retentionMs,
  })
  assert.equal(reason, 'unexpected answer (404 entity_not_found)')
  const strange = judgeHour(answer(500, 'token YWMtabc'), { ageMs: hour, retentionMs })
  assert.equal(strange.reason, 'unexpected answer (500)')
})
