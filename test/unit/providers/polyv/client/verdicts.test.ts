import assert from 'node:assert/strict'
import { test } from 'node:test'
import { banMs, type Verdict } from '../../../../../src/providers/polyv/client/complaints.ts'
import { verdictOf } from '../../../../../src/providers/polyv/client/verdicts.ts'

type Row = [kind: Verdict['kind'], code: string, httpStatus: number, body: unknown]

/** The body of a failed call: `data` is an empty string. */
const failed = (code: number | null, message: string, status = 'error') => ({
  code,
  status,
  message,
  data: '',
})
const succeeded = (data: unknown) => ({ code: 200, status: 'success', message: '', data })

const rows: Row[] = [
  ['ok', 'ok', 200, succeeded([])],
  ['ok', 'ok', 200, succeeded({ list: [] })],
  ['ok', 'ok', 200, { data: [{ id: 'x' }], status: 'success', message: 'invalid signature.', code: 200 }],
  ['ok', 'ok', 200, { code: '200', status: 'success', data: [] }],
  ['ok', 'ok', 200, { status: 'SUCCESS', data: [] }],
  ['ok', 'ok', 200, { code: 200, data: { contents: [] } }],
  ['ok', 'ok', 200, { code: 200, status: 'success', success: true, error: null, data: {} }],
  ['ok', 'ok', 200, `\ufeff${JSON.stringify(succeeded([]))}`],
  ['ok', 'ok', 200, '{"code":500,"status":"error","code":200,"status":"success","data":"","data":[]}'],
  ['ok', 'ok', 201, succeeded([])],

  ['throttled', 'throttled', 400, failed(400, 'qps exceeds number of calls')],
  ['throttled', 'throttled', 429, failed(429, 'slow down')],
  ['throttled', 'throttled', 429, '<html>429</html>'],
  ['throttled', 'throttled', 200, failed(200, 'qps exceeds number of calls')],
  ['throttled', 'throttled', 500, failed(500, 'QPS exceeds number of calls.', 'fail')],
  ['throttled', 'throttled', 429, failed(200, '')],

  ['clock', 'clock', 400, failed(400, 'invalid timestamp.')],
  ['clock', 'clock', 400, failed(400, 'ptime is too old.')],

  ['fatal', 'wrong_secret', 403, failed(403, 'invalid signature.')],
  ['fatal', 'wrong_secret', 400, failed(400, 'invalid signature.')],
  ['fatal', 'wrong_secret', 401, failed(401, 'invalid signature.')],
  ['fatal', 'wrong_secret', 200, failed(403, 'invalid signature.')],
  ['fatal', 'wrong_secret', 401, failed(401, 'no words known to us')],
  ['fatal', 'wrong_secret', 401, { message: 'invalid signature.' }],
  ['transient', 'gateway', 401, { message: 'no Route matched' }],
  ['transient', 'gateway', 401, { error: 'Unauthorized' }],
  ['transient', 'gateway', 401, { timestamp: 1, status: 401, error: 'Unauthorized', path: '/x' }],
  ['transient', 'gateway', 403, { message: 'Forbidden' }],
  ['fatal', 'wrong_app', 400, failed(400, 'application not found.')],
  ['fatal', 'wrong_app', 400, failed(400, 'appId not found.')],
  ['fatal', 'wrong_app', 400, failed(400, 'appId is required.')],
  ['fatal', 'encrypted', 200, { ...succeeded('9f86d081884c7d65'), encryption: true }],
  ['fatal', 'encrypted', 200, { ...succeeded([]), encryption: 'true' }],

  ['refused', 'channel_gone', 400, failed(400, 'channel not found.')],
  ['refused', 'channel_gone', 403, failed(403, 'illegal channel id: 1234567')],
  ['refused', 'channel_gone', 400, failed(400, 'param type error')],
  ['refused', 'forbidden', 500, failed(500, 'access forbidden', 'fail')],
  ['refused', 'forbidden', 403, failed(403, 'no words known to us')],
  ['refused', 'bad_request', 400, failed(400, 'startDay can not be empty.')],
  ['refused', 'bad_request', 400, failed(400, 'endDay can not be empty.')],
  ['refused', 'bad_request', 400, failed(400, 'invalid date time format')],
  ['refused', 'bad_request', 400, failed(400, 'startDate can not great endDater')],
  ['refused', 'bad_request', 400, failed(400, 'param is not digit: page')],
  ['refused', 'bad_request', 400, failed(400, 'no words known to us')],

  ['trouble', 'server_error', 500, failed(500, 'api error.', 'fail')],
  ['trouble', 'server_error', 500, failed(500, 'no words known to us', 'fail')],
  ['transient', 'server_error', 503, failed(null, '')],
  ['trouble', 'server_error', 200, failed(200, 'no words known to us', 'fail')],
  ['refused', 'answer_shape', 200, succeeded('')],
  ['refused', 'answer_shape', 200, succeeded(null)],
  ['refused', 'answer_shape', 200, { code: 200, status: 'success' }],
  ['throttled', 'throttled', 200, { ...succeeded(''), message: 'qps exceeds number of calls' }],
  ['refused', 'channel_gone', 200, { ...succeeded(null), message: 'channel not found.' }],
  ['transient', 'server_error', 502, succeeded([])],
  ['trouble', 'server_error', 200, { success: false, code: 200, status: 'success', data: [] }],
  ['trouble', 'server_error', 200, { status: 'fail', code: 200, data: [] }],
  ['transient', 'server_error', 200, { data: [] }],
  ['trouble', 'server_error', 500, { code: 200, status: 'success', error: { desc: 'x' }, data: [] }],
  ['transient', 'server_error', 200, { code: {}, status: [], message: 7, data: 'x' }],
  ['refused', 'bad_request', 400, { status: 'error', message: 'no words known to us', data: '' }],
  ['refused', 'forbidden', 403, failed(200, 'no words known to us')],
  ['trouble', 'server_error', 400, failed(500, 'no words known to us', 'fail')],
  ['refused', 'bad_request', 500, failed(400, 'no words known to us')],
  ['transient', 'redirected', 302, succeeded([])],
  ['transient', 'redirected', 301, '<html>301</html>'],
  ['transient', 'redirected', 304, ''],
  ['transient', 'gateway', 200, '[]'],
  ['transient', 'gateway', 200, 'null'],
  ['transient', 'gateway', 200, 'live'],
  ['transient', 'gateway', 502, '<html><h1>502 Bad Gateway</h1></html>'],
  ['transient', 'gateway', 200, '<html>maintenance</html>'],
  ['transient', 'gateway', 403, '<html>403 Forbidden</html>'],
  ['transient', 'gateway', 404, '<html>404</html>'],
  ['transient', 'gateway', 200, ''],
  ['transient', 'gateway', 200, '{"code":200,"status":"success","data":[{"id":'],
]

function verdictOfRow(httpStatus: number, body: unknown): Verdict {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return verdictOf({ httpStatus, body: Buffer.from(text) })
}

for (const [kind, code, httpStatus, body] of rows) {
  test(`HTTP ${httpStatus} ${JSON.stringify(body)} is ${kind} ${code}`, () => {
    const verdict = verdictOfRow(httpStatus, body)
    assert.deepEqual([verdict.kind, verdict.code], [kind, code])
  })
}

test('the v4 form of an error is read by its description', () => {
  const v4 = (code: number, error: { code: number; desc: string }) =>
    verdictOfRow(code, { code, status: 'error', success: false, requestId: 'r', error })
  assert.equal(v4(400, { code: 10001, desc: 'invalid signature.' }).code, 'wrong_secret')
  assert.equal(v4(400, { code: 10005, desc: 'param validate error' }).code, 'bad_request')
  assert.equal(v4(500, { code: 1, desc: 'unheard of' }).code, 'server_error')
})

test('throttling waits out the ban of five minutes', () => {
  const verdict = verdictOfRow(400, failed(400, 'qps exceeds number of calls'))
  assert.equal('retryAfterMs' in verdict && verdict.retryAfterMs, banMs)
  assert.equal(banMs, 300_000)
})

test('a reason quotes the service, without anything that could be a signature', () => {
  const verdict = verdictOfRow(400, failed(400, 'bad sign A8B6262C1A3B14DA0B2C6DDE6CE5D622 for page'))
  const reason = 'reason' in verdict ? verdict.reason : ''
  assert.match(reason, /“bad sign … for page”, code 400, HTTP 400/)
})

test('a broken item does not make an answer unreadable', () => {
  assert.equal(
    verdictOfRow(200, '{"code":200,"status":"success","data":[{"a":tru},{}],"message":""}').kind,
    'ok',
  )
})
