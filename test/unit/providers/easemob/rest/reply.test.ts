import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { memberOf, readReply } from '../../../../../src/providers/easemob/rest/reply.ts'
import { encodeStrictly } from '../../../../../src/providers/easemob/rest/http.ts'

const nowMs = Date.parse('2026-11-23T05:00:00Z')

function reply(body: string | Buffer, headers: Record<string, string> = {}, maxBytes = 1000) {
  const stream = Readable.from([Buffer.from(body)]) as Dispatcher.ResponseData['body']
  return readReply({ statusCode: 200, headers, body: stream }, { maxBytes, nowMs })
}

test('the error word and its text are found under the names of both services', async () => {
  const { error, text } = await reply('{"error":"illegal_argument","error_description":"no","desc":"x"}')
  assert.deepEqual([error, text], ['illegal_argument', 'no'])
  const other = await reply('{"timestamp":1,"desc":"unauthorized","duration":0}')
  assert.deepEqual([other.error, other.text], [null, 'unauthorized'])
  for (const odd of ['{"error":""}', '{"error":null}', '{"error":{"a":1}}', '{"error":7}', '<html>', '']) {
    assert.equal((await reply(odd)).error, null, odd)
  }
})

test('only one whole object is a frame', async () => {
  for (const whole of ['{}', '\ufeff {"a":1} \n', '{"a":{"b":"}"}}'])
    assert.ok((await reply(whole)).frame, whole)
  for (const none of ['', '[]', '{', '{"a":1', '{"a":1}{', '{"a":1} x', '{a:1}', '{"a" 1}', 'null', '<a>'])
    assert.equal((await reply(none)).frame, null, none)
})

test('a member is parsed, and undefined where it is missing or broken', async () => {
  const { frame } = await reply('{"id":12345678901234567890,"list":[1],"bad":nope}')
  assert.equal(String(memberOf(frame, 'id')), '12345678901234567890')
  assert.deepEqual(memberOf(frame, 'list'), [1])
  assert.equal(memberOf(frame, 'bad'), undefined)
  assert.equal(memberOf(frame, 'none'), undefined)
  assert.equal(memberOf(null, 'id'), undefined)
})

test('an encoding that nobody asked for is undone, and one that cannot be is no frame', async () => {
  const packed = gzipSync('{"a":1}')
  assert.equal(memberOf((await reply(packed, { 'content-encoding': 'gzip' })).frame, 'a'), 1)
  assert.equal(memberOf((await reply(packed)).frame, 'a'), 1)
  assert.equal((await reply(packed.subarray(0, 12), { 'content-encoding': 'gzip' })).frame, null)
  assert.equal((await reply('{"a":1}', { 'content-encoding': 'rot13' })).frame, null)
  assert.equal((await reply(gzipSync(' '.repeat(1_000)), {}, 100)).tooLong, true)
})

test('a body beyond the measure is told and dropped', async () => {
  const { tooLong, frame } = await reply('{"a":"0123456789"}', {}, 17)
  assert.deepEqual([tooLong, frame], [true, null])
  assert.equal((await reply('{"a":"0123456789"}', {}, 18)).tooLong, false)
})

test('the waiting time is told in seconds or as a date of the service’s own clock', async () => {
  const wait = async (value: string, more: Record<string, string> = {}) =>
    (await reply('{}', { 'retry-after': value, ...more })).retryAfterMs
  assert.equal(await wait('7'), 7000)
  assert.equal(await wait('0'), 0)
  assert.equal(await wait('999999'), 3_600_000)
  assert.equal(await wait('Mon, 23 Nov 2026 05:00:30 GMT'), 30_000)
  assert.equal(await wait('Mon, 23 Nov 2026 04:00:00 GMT'), 0)
  const date = 'Mon, 23 Nov 2026 06:00:00 GMT'
  assert.equal(await wait('Mon, 23 Nov 2026 06:00:30 GMT', { date }), 30_000)
  for (const odd of ['', '-1', 'soon', '7, 8', 'Mon, 99 Foo 2026 05:00:30 GMT'])
    assert.equal(await wait(odd), null, odd)
})

test('the service tells its time by the header, else in the body', async () => {
  const told = async (body: string, headers: Record<string, string> = {}) =>
    (await reply(body, headers)).serverTimeMs
  const date = 'Mon, 23 Nov 2026 05:00:30 GMT'
  assert.equal(await told('{"timestamp":1}', { date }), nowMs + 30_000)
  assert.equal(await told('{"timestamp":1526801073356}'), 1526801073356)
  assert.equal(await told('{"timestamp":"soon"}', { date: 'today' }), null)
})

test('everything that could mean something in an address is escaped', () => {
  assert.equal(
    encodeStrictly("aZ09-_.~ +/=&?#%!'()*\n你"),
    'aZ09-_.~%20%2B%2F%3D%26%3F%23%25%21%27%28%29%2A%0A%E4%BD%A0',
  )
  assert.equal(encodeStrictly('a\ud800b'), null)
  assert.equal(encodeStrictly('😢'), '%F0%9F%98%A2')
})
