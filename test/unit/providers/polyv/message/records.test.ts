import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  askedOf,
  identify,
  recordOf,
  tellsOther,
} from '../../../../../src/providers/polyv/message/records.ts'

const item = {
  accountId: 'ee7fe7fbda',
  clientIP: '',
  content: 'a &lt; b',
  event: '',
  id: '9b7b0d20-12b7-11eb-8860-43fdec7e6710',
  image: '',
  msgType: '',
  quote: '',
  roomId: '157468202',
  sessionId: '',
  sourceType: 'public',
  status: 'pass',
  time: 1603186536120,
  user: { banned: false, clientIp: '', nick: '小月', pic: '//s1.videocc.net/face.png', uid: 'AB12' },
}

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const fingerprint = (change: Record<string, unknown>): string =>
  identify(bytes({ ...item, ...change })).fingerprint.toString('hex')
const without = (...keys: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(item).filter(([key]) => !keys.includes(key)))
const asked = { status: 'pass', scope: 'public' }

test('an item is filed by id, time and a fingerprint of 16 bytes', () => {
  const identity = identify(bytes(item))
  assert.equal(identity.messageId, item.id)
  assert.equal(identity.sentAt, item.time)
  assert.equal(identity.fingerprint.length, 16)
})

test('time as text is time', () => {
  assert.equal(identify(bytes({ ...item, time: '1603186536120' })).sentAt, 1603186536120)
  for (const time of ['', null, 'yesterday', -1, 0, {}])
    assert.equal(identify(bytes({ ...item, time })).sentAt, null)
})

test('time in seconds or as a date of China is time', () => {
  for (const time of [1603186536, '1603186536', '2020-10-20 17:35:36'])
    assert.equal(identify(bytes({ ...item, time })).sentAt, 1603186536000)
})

test('ids that are numbers keep their digits', () => {
  const idOf = (id: string): string | null => identify(Buffer.from(`{"id":${id},"time":1}`)).messageId
  assert.equal(idOf('9007199254740993'), '9007199254740993')
  assert.equal(idOf('12345678901234567890'), '12345678901234567890')
  assert.equal(idOf('" 7 "'), '7')
  assert.equal(idOf('0'), null, 'no id is shared by all that have none')
})

test('key order and white space do not change the fingerprint', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(Object.entries(item), { minLength: Object.keys(item).length }),
      (entries) => {
        const payload = Buffer.from(JSON.stringify(Object.fromEntries(entries), null, 2))
        assert.equal(identify(payload).fingerprint.toString('hex'), fingerprint({}))
      },
    ),
  )
})

test('what comes with the transport does not change the fingerprint', () => {
  const user = {
    ...item.user,
    banned: true,
    clientIp: '203.0.113.9',
    pic: 'other',
    sessionId: 'fs1',
    kickRefer: 1,
  }
  for (const change of [
    { user },
    { user: JSON.stringify(item.user) },
    { clientIP: '203.0.113.9' },
    { accountId: 'x' },
    { sessionId: 'fs1' },
    { channelId: '1574682' },
    { userType: '"slice"' },
    { customize: 0 },
  ]) {
    assert.equal(fingerprint(change), fingerprint({}), JSON.stringify(change))
  }
})

test('what Polyv can change changes the fingerprint', () => {
  const changes = [
    { content: 'a &lt; c' },
    { content: { msgSource: 'custom', data: 1 } },
    { msgType: 'custom' },
    { image: '//i/a.png' },
    { quote: 'b7b0d20-12b7' },
    { status: 'censor' },
    { status: 'delete' },
    { sourceType: 'extend' },
    { event: 'TOP' },
  ]
  assert.equal(new Set([{}, ...changes].map(fingerprint)).size, changes.length + 1)
})

test('the spellings of different endpoints have one fingerprint', () => {
  const spelledOut = bytes({
    ...without('msgType', 'quote', 'status', 'sourceType'),
    msyType: '0',
    event: '0',
    quote: null,
  })
  assert.equal(identify(spelledOut).fingerprint.toString('hex'), fingerprint({}))
  const content = { url: '//h/a.pdf', name: 'a.pdf', size: 12 }
  const reordered = '{"size" :12, "name":"a.pdf","url":"//h/a.pdf"}'
  assert.equal(fingerprint({ content: reordered }), fingerprint({ content }))
  assert.equal(fingerprint({ msgType: null }), fingerprint({ msgType: 'null' }))
})

test('what stands in place of a quote is no quote', () => {
  for (const quote of ['', null, undefined, 'null', 0, '0', {}, '{}'])
    assert.equal(fingerprint({ quote }), fingerprint({}), JSON.stringify(quote))
})

test('big numbers in a body keep apart by their last digit', () => {
  const of = (digits: string): string =>
    identify(
      Buffer.from(`{"id":"1","time":1603186536120,"content":{"ticket":${digits}}}`),
    ).fingerprint.toString('hex')
  assert.notEqual(of('9007199254740993'), of('9007199254740992'))
})

test('what is no message has no id, and identify never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (wild) => {
      const identity = identify(Buffer.from(wild))
      assert.equal(identity.fingerprint.length, 16)
    }),
  )
  for (const text of [
    '',
    'null',
    '12',
    '[]',
    '"x"',
    '{',
    '{"id":""}',
    '{"id":null}',
    '{"id":{}}',
    '['.repeat(5000),
  ]) {
    assert.equal(identify(Buffer.from(text)).messageId, null, text.slice(0, 20))
  }
})

test('the position of a record is its message id, whatever list it is in', () => {
  const payload = bytes(item)
  assert.equal(recordOf(payload, asked).position, item.id)
  assert.equal(recordOf(payload, { status: 'censor', scope: 'extend' }).position, item.id)
  assert.equal(recordOf(payload, asked).payload, payload)
})

test('a record without id has a position that the next reading finds again', () => {
  const one = recordOf(Buffer.from('{"content":"x"}'), asked)
  assert.equal(one.messageId, null)
  assert.match(String(one.position), /^~[0-9a-f]{32}$/)
  assert.equal(recordOf(Buffer.from('{"content":"x"}'), asked).position, one.position)
  assert.notEqual(recordOf(Buffer.from('{"content":"y"}'), asked).position, one.position)
})

test('an item that does not tell its status carries what was asked for, in position and fingerprint', () => {
  const payload = bytes(without('status', 'sourceType'))
  const passed = recordOf(payload, asked)
  const reviewed = recordOf(payload, { status: 'censor', scope: 'public' })
  const hidden = recordOf(payload, { status: 'censor', scope: 'extend' })
  assert.equal(passed.position, item.id)
  assert.equal(reviewed.position, `${item.id}?status=censor`)
  assert.equal(hidden.position, `${item.id}?status=censor&source=extend`)
  assert.notDeepEqual(reviewed.fingerprint, passed.fingerprint)
  assert.equal(reviewed.fingerprint.toString('hex'), fingerprint({ status: 'censor' }))
  assert.equal(passed.fingerprint.toString('hex'), fingerprint({}))
})

test('what was asked for is read back from the origin', () => {
  const unit = '2477096/2026112310#'
  assert.deepEqual(askedOf(`${unit}${item.id}`), asked)
  assert.deepEqual(askedOf(`${unit}${item.id}?status=censor`), { status: 'censor', scope: 'public' })
  assert.deepEqual(askedOf(`${unit}${item.id}?source=extend`), { status: 'pass', scope: 'extend' })
  assert.deepEqual(askedOf(`${unit}a?b?status=censor&source=extend`), { status: 'censor', scope: 'extend' })
  assert.deepEqual(askedOf(''), asked)
})

test('only an item that names its channel can tell of another', () => {
  const tells = (fields: unknown): boolean => tellsOther(bytes(fields), ['5', '77'])
  for (const other of [
    { channelId: 9 },
    { user: '{"channelId":"9"}' },
    { channelId: 9, roomId: '902', user: {} },
  ])
    assert.ok(tells(other))
  for (const own of [
    { channelId: 5 },
    { channelId: '9', user: { channelId: 5 } },
    { channelId: 9, roomId: 77 },
  ])
    assert.ok(!tells(own))
  for (const unclear of [{ roomId: '9' }, { user: { roomId: '9' } }, { channelId: 0 }, {}, null, 'x', 7, []])
    assert.ok(!tells(unclear))
})
