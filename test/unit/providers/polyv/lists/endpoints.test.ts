import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { polyv } from '../../../../../src/providers/polyv/index.ts'
import { recordOf } from '../../../../../src/providers/polyv/message/records.ts'
import { signatureOf } from '../../../../../src/providers/polyv/client/signature.ts'
import {
  listen,
  makeContext,
  morningMs,
  openSandbox,
  openSource,
  readUnit,
  rowOf,
  unitNamed,
} from '../harness.ts'

const entry = {
  name: 'live',
  provider: 'polyv',
  appId: 'app1',
  appSecret: 'secret1',
  channels: ['1'],
  statuses: ['censor'],
  scopes: ['extend'],
  rooms: ['102'],
}

/** Everything that one reading of an hour asks a service that has no messages. */
async function callsOf(t: TestContext, change: Record<string, unknown>) {
  const calls: { method: string; path: string; query: string; form: string; type: string | null }[] = []
  const baseUrl = await listen(t, async (request) => {
    const { pathname, search } = new URL(request.url)
    const type = request.headers.get('content-type')
    calls.push({
      method: request.method,
      path: pathname,
      query: search.slice(1),
      form: await request.text(),
      type,
    })
    const data =
      change.endpoint === 'v3-page' ? { contents: [] } : change.endpoint === 'v3-history' ? [] : { list: [] }
    return Response.json({ code: 200, status: 'success', message: '', data })
  })
  const { context } = makeContext(morningMs)
  const source = openSource(t, { ...entry, baseUrl, ...change }, context)
  const name = change.endpoint === 'v3-speak' ? 'all/2026112310' : '1/2026112310'
  const { reading } = await readUnit(source, await unitNamed(source, name, morningMs))
  assert.equal(reading.state, 'empty')
  return calls
}

const day = { startDay: '2026-11-23 10:00:00', endDay: '2026-11-23 11:00:00' }
const filters = { status: 'censor', source: 'extend' }
const startTime = Date.parse('2026-11-23T02:00:00Z')
const hour = { startTime: String(startTime), endTime: String(startTime + 3_600_000) }
const page = { page: '1' }

const endpoints: [endpoint: string, method: string, path: string, params: Record<string, string>][] = [
  ['v2-page', 'GET', '/live/v2/chat/1/getHistoryByPage', { ...day, ...filters, ...page, limit: '1000' }],
  [
    'v3-history',
    'POST',
    '/live/v3/channel/chat/get-history',
    { ...day, ...filters, ...page, channelId: '1', pageSize: '1000' },
  ],
  [
    'v3-page',
    'GET',
    '/live/v3/channel/chat/get-history-page',
    { ...day, ...filters, ...page, channelId: '1', pageSize: '1000' },
  ],
  ['v3-speak', 'GET', '/live/v3/user/chat/get-speak-list', { ...hour, size: '1000' }],
]

for (const [endpoint, method, path, params] of endpoints) {
  test(`${endpoint} is asked as documented, with everything signed that is sent`, async (t) => {
    const calls = await callsOf(t, { endpoint })
    const expected = [params, ...(endpoint === 'v3-speak' ? [] : [{ ...params, roomId: '102' }])]
    assert.equal(calls.length, expected.length)
    for (const [index, call] of calls.entries()) {
      assert.deepEqual([call.method, call.path], [method, path])
      assert.equal(method === 'GET' ? call.form : call.query, '', 'parameters are sent in one place only')
      if (method === 'POST') assert.equal(call.type, 'application/x-www-form-urlencoded')
      const { sign, ...sent } = Object.fromEntries(new URLSearchParams(call.query || call.form))
      const account = { appId: 'app1', timestamp: String(morningMs) }
      assert.deepEqual(sent, { ...expected[index], ...account })
      assert.equal(sign, signatureOf(sent, 'secret1'))
    }
  })
}

test('values that need it are percent-encoded, in the address and in the form', async (t) => {
  const rooms = ['a b+c&d=e/世']
  for (const endpoint of ['v2-page', 'v3-history']) {
    const [, call] = await callsOf(t, { endpoint, rooms })
    const text = call?.query ?? ''
    assert.match(text || (call?.form ?? ''), /roomId=a%20b%2Bc%26d%3De%2F%E4%B8%96&/)
  }
})

const user = { nick: '小月', uid: 'AB12', userId: 'u1', pic: '//s1.videocc.net/face.png', channelId: 1574682 }
const content = {
  id: 'i1',
  msgSource: 'chatImg',
  size: { width: 3, height: 2 },
  uploadImgUrl: '//h.example/a.png',
}
const item = {
  id: 'f14e71f0-0fb5-11ec-912a-f7bfa2a37ef8',
  time: 1603186536120,
  roomId: '1574682',
  msgType: 'chatImg',
  content,
}
const { msgType, ...untyped } = item

/** One message in the spellings of the endpoints, each with the status its list was asked for. */
const forms: Record<string, unknown>[] = [
  { ...item, status: 'pass', sourceType: 'public', quote: '', image: '', event: '', sessionId: '', user },
  { ...untyped, msyType: msgType, event: '0', quote: '', image: '', user, userType: '"slice"' },
  {
    ...item,
    content: JSON.stringify(content),
    channelId: 1574682,
    user: { ...user, nick: undefined, nickname: '小月' },
  },
  {
    ...item,
    time: '1603186536120',
    channelId: '1574682',
    quote: {},
    status: '"pass"',
    user,
    userType: 'slice',
  },
  {
    ...item,
    quote: null,
    image: null,
    sessionId: null,
    user: JSON.stringify(user),
    accountId: 'a',
    content: `${JSON.stringify(content)} `,
  },
]

test('one message has one id, one fingerprint and one meaning by any endpoint', () => {
  const payloads = forms.map((form) => Buffer.from(JSON.stringify(form)))
  const records = payloads.map((payload) => recordOf(payload, { status: 'pass', scope: 'public' }))
  assert.deepEqual(new Set(records.map(rowOf)).size, 1)
  const meanings = records.map(({ payload, position }) => {
    const { sender, ...message } = polyv.understand(payload, 'app1', `1574682/2020102017#${position}`)
    return { ...message, sender: { ...sender, role: null } }
  })
  for (const meaning of meanings) assert.deepEqual(meaning, meanings[0])
  assert.deepEqual([meanings[0]?.status, meanings[0]?.kind], ['visible', 'image'])
})

test('the simulation tells the same messages by every endpoint', async (t) => {
  const told: string[][] = []
  for (const endpoint of ['v2-history', 'v2-page', 'v3-history', 'v3-page']) {
    const { source } = await openSandbox(
      t,
      { pageLimit: 9 },
      { endpoint, statuses: ['pass'], rooms: ['247709602'] },
    )
    const { reading, records } = await readUnit(
      source,
      await unitNamed(source, '2477096/2026112310', morningMs),
    )
    assert.ok(reading.state === 'published' && reading.lines > 50)
    told.push(records.map(rowOf).sort())
  }
  for (const rows of told) assert.deepEqual(rows, told[0])
  const { source } = await openSandbox(t, { pageLimit: 9 }, { endpoint: 'v3-speak', channels: ['2477096'] })
  const { records } = await readUnit(source, await unitNamed(source, 'all/2026112310', morningMs))
  // A message without a user does not tell its channel, and is kept whichever it is from.
  const rows = records.filter(({ payload }) => !payload.includes('"user":null')).map(rowOf)
  assert.ok(rows.length > 50)
  for (const row of rows) assert.ok(told[0]?.includes(row))
})

test('what a list without words of status tells is pending, and its own id', async (t) => {
  const { source } = await openSandbox(
    t,
    { messagesPerHour: 3_000 },
    { endpoint: 'v2-page', statuses: ['censor'], scopes: ['extend'] },
  )
  const unit = await unitNamed(source, '2477096/2026112310', morningMs)
  const { records } = await readUnit(source, unit)
  assert.ok(records.length > 0)
  for (const { payload, position, messageId } of records) {
    const message = polyv.understand(payload, 'a', `${unit.name}#${position}`)
    assert.deepEqual([message.status, message.messageId], ['pending', messageId])
    assert.equal((JSON.parse(message.data ?? '{}') as { sourceType?: string }).sourceType, 'extend')
  }
})

for (const endpoint of ['v2-history', 'v2-page', 'v3-history', 'v3-page']) {
  test(`approval and deletion of old messages are found again by ${endpoint}: same id, other fingerprint`, async (t) => {
    const { source, clock } = await openSandbox(t, { messagesPerHour: 1_000 }, { endpoint })
    const unit = await unitNamed(source, '2477096/2026112310', clock.nowMs)
    const statuses = async () => {
      const { records } = await readUnit(source, unit)
      return new Map(
        records.map((record) => {
          const { status } = polyv.understand(record.payload, 'a', `${unit.name}#${record.position}`)
          return [record.messageId, { status, row: rowOf(record) }]
        }),
      )
    }
    const before = await statuses()
    clock.nowMs += 6 * 3_600_000
    const steps = new Set<string>()
    for (const [id, { status, row }] of await statuses()) {
      const old = before.get(id)
      assert.ok(old)
      if (old.row !== row) steps.add(`${old.status} to ${status}`)
      else assert.equal(old.status, status)
    }
    // Without words of status the list of the reviewed and deleted does not say which of the two.
    const hidden = endpoint === 'v2-page' ? 'pending' : 'deleted'
    assert.ok(steps.has('pending to visible') && steps.has(`visible to ${hidden}`), [...steps].join(', '))
  })
}
