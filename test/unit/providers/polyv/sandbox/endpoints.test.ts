import assert from 'node:assert/strict'
import { test } from 'node:test'
import { polyv } from '../../../../../src/providers/polyv/index.ts'
import { signatureOf, type Params } from '../../../../../src/providers/polyv/client/signature.ts'
import { morningMs } from '../harness.ts'

type Items = Record<string, unknown>[]
interface Answer {
  code: number
  message: string
  data:
    | { list?: Items; contents?: Items; cursor?: string | null; totalCount?: number; totalPage?: number }
    | Items
    | ''
}

const day = { startDay: '2026-11-23 10:00:00', endDay: '2026-11-23 10:59:59' }
const hour = {
  startTime: Date.parse('2026-11-23T02:00:00Z'),
  endTime: Date.parse('2026-11-23T03:00:00Z') - 1,
}
const v2Page = '/live/v2/chat/2477096/getHistoryByPage'
const v3History = '/live/v3/channel/chat/get-history'
const v3Page = '/live/v3/channel/chat/get-history-page'
const v3Speak = '/live/v3/user/chat/get-speak-list'

function makeSandbox(options: Record<string, unknown> = {}) {
  const sandbox = polyv.sandbox({ seed: 3, now: () => morningMs, messagesPerHour: 600, ...options })
  const { appId, appSecret } = sandbox.sourceConfig('http://x') as { appId: string; appSecret: string }
  const send = async (
    path: string,
    params: Params,
    how: { method?: string; type?: string } = {},
  ): Promise<Answer> => {
    const { method = path === v3History ? 'POST' : 'GET', type = 'application/x-www-form-urlencoded' } = how
    const signed = { appId, timestamp: morningMs, ...params }
    const sent = Object.entries(signed).filter(([, value]) => value !== null && value !== undefined)
    const form = new URLSearchParams(sent.map(([name, value]): [string, string] => [name, String(value)]))
    form.set('sign', signatureOf(signed, appSecret))
    const init =
      method === 'POST' ? { method, body: form.toString(), headers: { 'content-type': type } } : { method }
    const response = await sandbox.app.request(method === 'POST' ? path : `${path}?${form.toString()}`, init)
    const answer = (await response.json()) as Answer
    assert.equal(answer.code, response.status)
    return answer
  }
  return { sandbox, send }
}

const listOf = ({ data }: Answer): Items => {
  assert.ok(data !== '')
  const items = Array.isArray(data) ? data : (data.list ?? data.contents)
  assert.ok(items)
  return items
}

test('v2-page tells totals, a misspelt type, quoted roles, and neither status nor source', async () => {
  const { send } = makeSandbox()
  const answer = await send(v2Page, { ...day, limit: 7, page: 2 })
  assert.ok(answer.data !== '' && !Array.isArray(answer.data))
  assert.equal(answer.data.totalPage, Math.ceil((answer.data.totalCount ?? 0) / 7))
  const [item] = listOf(answer)
  assert.ok(
    item && 'msyType' in item && !('msgType' in item) && !('status' in item) && !('sourceType' in item),
  )
  assert.match(String(item.userType), /^"/)
})

test('v3-history takes a form by POST only, with the channel in it', async () => {
  const { send } = makeSandbox()
  const params = { ...day, channelId: '2477096', pageSize: 5 }
  const [item] = listOf(await send(v3History, params))
  assert.ok(item && 'channelId' in item)
  assert.ok('nickname' in (item.user as object) && !('nick' in (item.user as object)))
  assert.equal((await send(v3History, params, { method: 'GET' })).code, 405)
  assert.equal((await send(v3History, params, { type: 'application/json' })).message, 'appId is required.')
  assert.equal((await send(v3Page, params, { method: 'POST' })).code, 405)
  assert.equal((await send(v3Speak, hour, { method: 'POST' })).code, 405)
})

test('the older endpoints take both methods', async () => {
  const { send } = makeSandbox()
  for (const method of ['GET', 'POST'])
    assert.equal(listOf(await send(v2Page, { ...day, limit: 5 }, { method })).length, 5)
})

test('v3 names its channel by parameter and refuses others', async () => {
  const { send } = makeSandbox()
  for (const path of [v3History, v3Page]) {
    assert.equal((await send(path, day)).message, 'param should not be empty: channelId')
    assert.equal((await send(path, { ...day, channelId: '1234567' })).message, 'illegal channel id: 1234567')
  }
})

test('a page beyond the limit is an answer without contents on v3-page, without items elsewhere', async () => {
  const { send } = makeSandbox()
  const { code, data } = await send(v3Page, { ...day, channelId: '2477096', pageSize: 1001 })
  assert.ok(code === 200 && data !== '' && !('contents' in data))
  assert.deepEqual(listOf(await send(v3History, { ...day, channelId: '2477096', pageSize: 1001 })), [])
  assert.deepEqual(listOf(await send(v2Page, { ...day, limit: 1001 })), [])
})

test('each endpoint has its own word for the page size; another is just not heard', async () => {
  const { send } = makeSandbox()
  assert.ok(listOf(await send(v2Page, { ...day, pageSize: 5 })).length > 5)
  assert.ok(listOf(await send(v3Page, { ...day, channelId: '2477096', limit: 5 })).length > 5)
  assert.equal(listOf(await send(v3Speak, { ...hour, limit: 5 })).length, 10)
})

test('v3-speak walks the account by its cursors, ten at a time unless told, and ends with an empty list', async () => {
  const { send } = makeSandbox()
  const ids: unknown[] = []
  let cursor: string | null = null
  for (;;) {
    const answer: Answer = await send(v3Speak, { ...hour, cursor, size: 50 })
    const items = listOf(answer)
    if (items.length === 0) break
    ids.push(...items.map(({ id }) => id))
    for (const { user, quote, msgType } of items) {
      assert.ok(user === null || typeof user === 'string')
      assert.ok(quote !== '' && msgType !== '')
    }
    assert.ok(answer.data !== '' && !Array.isArray(answer.data))
    cursor = answer.data.cursor ?? null
    assert.ok(cursor)
  }
  assert.ok(ids.length > 100)
  assert.equal(new Set(ids).size, ids.length)
  const wrong: [Params, string][] = [
    [{ ...hour, cursor: 'x' }, 'param validate error'],
    [{ ...hour, size: 1001 }, 'param exceeds maximum value of integer'],
    [{ ...hour, startTime: null }, 'param is not digit: startTime'],
    [{ ...hour, endTime: 1_660_270_926 }, 'param is not digit: endTime'],
  ]
  for (const [params, message] of wrong) assert.equal((await send(v3Speak, params)).message, message)
})

test('the ban counts the calls of all endpoints together', async () => {
  const { send } = makeSandbox({ callsPer10s: 2 })
  assert.equal((await send(v2Page, day)).code, 200)
  assert.equal((await send(v3Speak, hour)).code, 200)
  assert.equal((await send('/live/v3/user/channels', {})).message, 'qps exceeds number of calls')
})

test('what every endpoint hands out is counted as identify tells it apart', async () => {
  for (const endpoint of ['v2-page', 'v3-history', 'v3-page']) {
    const { sandbox, send } = makeSandbox()
    const path = { 'v2-page': v2Page, 'v3-history': v3History, 'v3-page': v3Page }[endpoint] ?? ''
    const rows: string[] = []
    for (const status of ['pass', 'censor']) {
      for (const item of listOf(await send(path, { ...day, channelId: '2477096', status }))) {
        const payload = Buffer.from(JSON.stringify(item))
        const { messageId, fingerprint } = polyv.identify(payload)
        rows.push(`${messageId} ${fingerprint.toString('hex')}`)
      }
    }
    assert.equal(sandbox.served().rows, rows.length)
    assert.equal(sandbox.served().revisions, new Set(rows).size, endpoint)
  }
})
