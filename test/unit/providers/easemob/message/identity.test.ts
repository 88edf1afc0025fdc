import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { identify } from '../../../../../src/providers/easemob/message/identity.ts'

const of = (value: unknown) =>
  identify(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))

const fileLine = {
  chat_type: 'chat',
  payload: { ext: { k: 1 }, bodies: [{ msg: '你好', type: 'txt' }], from: 'lin.yue', to: 'agent.xu' },
  from: 'lin.yue',
  to: 'agent.xu',
  msg_id: '469166209653277176',
  timestamp: 1526801073356,
  direction: 'outgoing',
}

test('a line is filed by msg_id and timestamp', () => {
  const { messageId, sentAt, fingerprint } = of(fileLine)
  assert.equal(messageId, '469166209653277176')
  assert.equal(sentAt, 1526801073356)
  assert.equal(fingerprint.length, 16)
})

test('an id that came as a number keeps its digits', () => {
  assert.equal(of('{"msg_id":469166209653277177}').messageId, '469166209653277177')
  assert.equal(of('{"msg_id":"5I02W-16-8278a"}').messageId, '5I02W-16-8278a')
})

test('a row of the pull interface and the line of the file have the same fingerprint', () => {
  const pullRow = {
    uuid: '9060a01e-0000-0000-0000-000000000000',
    type: 'chatmessage',
    created: 1526801073400,
    modified: 1526801073400,
    timestamp: 1526801073356,
    from: 'lin.yue',
    msg_id: '469166209653277176',
    to: 'agent.xu',
    chat_type: 'chat',
    payload: { bodies: [{ type: 'txt', msg: '你好' }], ext: { k: 1 } },
  }
  assert.deepEqual(of(pullRow), of(fileLine))
})

test('an empty ext is the same as none', () => {
  const payload = { ...fileLine.payload, ext: undefined }
  const without = of({ ...fileLine, payload })
  assert.deepEqual(of({ ...fileLine, payload: { ...payload, ext: {} } }), without)
  assert.deepEqual(of({ ...fileLine, payload: { ...payload, ext: null } }), without)
  assert.notDeepEqual(of(fileLine).fingerprint, without.fingerprint)
})

test('what the provider can change changes the fingerprint', () => {
  const { payload } = fileLine
  const changes = [
    { payload: { ...payload, bodies: [{ msg: '你好!', type: 'txt' }] } },
    { payload: { ...payload, bodies: [] } },
    { payload: { ...payload, ext: { k: 2 } } },
    { chat_type: 'groupchat' },
    { recall_id: '1' },
    { payload: { ...payload, ack_message_id: '1' } },
    { payload: { ...payload, edit_message_id: '1' } },
    { payload: { ...payload, meta: { edit_msg: { count: 1 } } } },
  ]
  const seen = new Set(
    [fileLine, ...changes.map((change) => ({ ...fileLine, ...change }))].map((line) =>
      of(line).fingerprint.toString('hex'),
    ),
  )
  assert.equal(seen.size, changes.length + 1)
})

test('big numbers that differ in their last digit differ', () => {
  const line = (digit: number) => `{"msg_id":"1","payload":{"ext":{"order":1234567890123456789${digit}}}}`
  assert.notDeepEqual(of(line(1)).fingerprint, of(line(2)).fingerprint)
})

test('bytes that are no message have no id and the digest of their bytes', () => {
  for (const text of [
    '',
    'nope',
    '[]',
    '"text"',
    'null',
    '12345678901234567890',
    '{}',
    '{"msg_id":""}',
    '{"msg_id":null}',
    '{"msg_id":{}}',
  ]) {
    const { messageId, fingerprint } = of(text)
    assert.equal(messageId, null, text)
    assert.deepEqual(fingerprint, createHash('md5').update(text).digest())
  }
})

test('a timestamp is a moment or none', () => {
  const cases: [unknown, number | null][] = [
    [1526801073356, 1526801073356],
    ['1526801073356', 1526801073356],
    [1.5, null],
    ['', null],
    ['yesterday', null],
    [null, null],
    [true, null],
    [9e15, null],
  ]
  for (const [timestamp, sentAt] of cases)
    assert.equal(of({ msg_id: '1', timestamp }).sentAt, sentAt, String(timestamp))
  assert.equal(of('{"msg_id":"1","timestamp":15268010733561526801}').sentAt, null)
})

test('no bytes make it throw', () => {
  const json = fc.record({ msg_id: fc.jsonValue(), payload: fc.jsonValue(), timestamp: fc.jsonValue() })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        json.map((value) => Buffer.from(JSON.stringify(value))),
      ),
      (bytes) => {
        assert.equal(identify(Buffer.from(bytes)).fingerprint.length, 16)
      },
    ),
  )
  assert.equal(of('{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000)).messageId, null)
  assert.equal(identify(Buffer.from([0x7b, 0xff, 0xfe, 0x22])).messageId, null)
})
