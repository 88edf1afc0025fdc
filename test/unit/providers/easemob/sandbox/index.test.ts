import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { request } from 'undici'
import { easemob } from '../../../../../src/providers/easemob/index.ts'
import { listen, openSource } from '../support.ts'

const hour = 3_600_000
const noon = Date.parse('2026-11-23T12:10:00+08:00')

/** A sandbox on a free port, with a clock that stands where the test puts it. */
async function start(t: TestContext, options: Record<string, unknown> = {}) {
  const clock = { ms: noon }
  const sandbox = easemob.sandbox({
    seed: 7,
    now: () => clock.ms,
    messagesPerHour: 60,
    callsPerMinute: 1000,
    ...options,
  })
  const url = await listen(t, sandbox.app)
  const config = sandbox.sourceConfig(url)
  const app = `${url}/${config.org as string}/${config.app as string}`
  const call = async (path: string, headers: Record<string, string> = {}) => {
    const { statusCode, body } = await request(path.startsWith('http') ? path : `${app}/${path}`, { headers })
    const bytes = Buffer.from(await body.arrayBuffer())
    return { status: statusCode, bytes, text: bytes.toString() }
  }
  const askToken = async (more: Record<string, unknown> = {}) => {
    const { statusCode, body } = await request(`${app}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        grant_type: 'client_credentials',
        client_id: config.clientId,
        client_secret: config.clientSecret,
        ...more,
      }),
    })
    return { status: statusCode, body: (await body.json()) as Record<string, unknown> }
  }
  const login = async () => ({ authorization: `Bearer ${(await askToken()).body.access_token as string}` })
  const linkOf = async (name: string) => {
    const { text } = await call(`chatmessages/${name}`, await login())
    return (JSON.parse(text) as { data: { url: string }[] }).data[0]!.url
  }
  return { sandbox, url, config, clock, call, askToken, login, linkOf }
}

const errorOf = (text: string) => JSON.parse(text) as { error: string; error_description: string }

test('credentials are checked one by one', async (t) => {
  const { askToken } = await start(t)
  assert.equal((await askToken()).body.expires_in, 86_400)
  const cases: [Record<string, unknown>, string][] = [
    [{ client_id: undefined }, 'client_id must be provided.'],
    [{ client_secret: '' }, 'client_secret must be provided'],
    [{ client_id: 'other' }, 'client_id does not match'],
    [{ client_secret: 'other' }, 'client_secret does not match'],
  ]
  for (const [change, text] of cases) {
    const { status, body } = await askToken(change)
    assert.deepEqual([status, body.error_description], [400, text])
  }
})

test('an unknown app, a missing, a wrong and an expired token are told apart', async (t) => {
  const { call, login, clock, url } = await start(t, { tokenLifeMs: hour })
  const unknown = await call(`${url}/chatfeed-demo/other/chatmessages/2026112310`, await login())
  assert.deepEqual([unknown.status, errorOf(unknown.text).error], [404, 'organization_application_not_found'])
  const path = 'chatmessages/2026112310'
  assert.match((await call(path)).text, /Unable to authenticate \(OAuth\)/)
  assert.match((await call(path, { authorization: 'Bearer YWMtwrong' })).text, /auth_bad_access_token/)
  const token = await login()
  clock.ms += hour
  const expired = await call(path, token)
  assert.equal(expired.status, 401)
  assert.match(expired.text, /expired access token/)
})

test('an hour exists from a while after its end until it is too old', async (t) => {
  const { call, login, clock } = await start(t)
  const token = await login()
  const at = async (ms: number, name: string) => {
    clock.ms = ms
    return (await call(`chatmessages/${name}`, token)).status
  }
  const end = Date.parse('2026-11-23T11:00:00+08:00')
  assert.equal(await at(end - 1, '2026112310'), 400)
  assert.equal(await at(end + 25 * 60_000 - 1, '2026112310'), 400)
  assert.equal(await at(end + 25 * 60_000, '2026112310'), 200)
  const dying = await start(t, { tokenLifeMs: 100 * hour })
  const old = await dying.login()
  dying.clock.ms = end + 72 * hour
  assert.equal((await dying.call('chatmessages/2026112310', old)).status, 200)
  dying.clock.ms++
  const lost = await dying.call('chatmessages/2026112310', old)
  assert.deepEqual([lost.status, errorOf(lost.text).error], [400, 'illegal_argument'])
  assert.match(lost.text, /time: 2026112310, maybe chat message history is expired or unstored/)
  const wrong = await dying.call('chatmessages/20261123', old)
  assert.equal(wrong.status, 400)
  assert.doesNotMatch(wrong.text, /unstored/)
})

test('an empty hour is a 404 of its own kind', async (t) => {
  const { call, login } = await start(t, { messagesPerHour: 0 })
  const { status, text } = await call('chatmessages/2026112310', await login())
  assert.deepEqual([status, errorOf(text).error], [404, 'storage_object_not_found'])
})

test('the call limit holds in any minute', async (t) => {
  const { call, login, clock } = await start(t, { callsPerMinute: undefined })
  const token = await login()
  const statuses: number[] = []
  for (let i = 0; i < 12; i++) statuses.push((await call('chatmessages/2026112310', token)).status)
  assert.deepEqual(statuses, [...Array<number>(10).fill(200), 429, 429])
  clock.ms += 60_000
  assert.equal((await call('chatmessages/2026112310', token)).status, 200)
})

test('a link works as it is, for half an hour, without a token', async (t) => {
  const { call, login, linkOf, clock, url } = await start(t)
  const link = await linkOf('2026112310')
  assert.ok(link.startsWith(`${url}/history/3D/chatfeed-demo/helpdesk/2026112310.gz?Expires=`))
  for (const escape of ['%2B', '%2F', '%3D']) assert.ok(link.includes(escape), escape)
  assert.equal((await call(link)).status, 200)
  for (const changed of [
    link.replace('%2B', '%2b'),
    link.replace('%2F', '/'),
    link.replace('2026112310.gz', '2026112309.gz'),
    `${link}&x=1`,
    link.replace(/Expires=\d/, 'Expires=9'),
  ]) {
    assert.equal((await call(changed)).status, 403, changed.replace(url, ''))
  }
  const both = await call(link, await login())
  assert.equal(both.status, 400)
  assert.match(both.text, /^<\?xml .*<Error>/s)
  clock.ms += 30 * 60_000 + 1000
  const expired = await call(link)
  assert.equal(expired.status, 403)
  assert.match(expired.text, /Request has expired/)
})

test('the history is the same in every process and other for another seed', async (t) => {
  const one = await start(t)
  const two = await start(t)
  const other = await start(t, { seed: 8 })
  const fileOf = async ({ call, linkOf }: typeof one) =>
    gunzipSync((await call(await linkOf('2026112310'))).bytes).toString()
  assert.equal(await fileOf(one), await fileOf(two))
  assert.notEqual(await fileOf(one), await fileOf(other))
})

test('three days hold every kind of message, in every kind of conversation, and repeats; all are understood', async (t) => {
  const { url, config, clock, sandbox } = await start(t)
  const { source, records, read } = openSource(t, sandbox.sourceConfig(url), () => clock.ms)
  assert.equal(config.provider, 'easemob')
  const readings = []
  for (const unit of await source.units(clock.ms, new Map(), new AbortController().signal))
    readings.push(await read(unit.name))
  assert.equal(readings.length, 73)
  assert.deepEqual(new Set(readings.map(({ state }) => state)), new Set(['published', 'empty', 'not_yet']))

  const messages = records.map(({ payload }) => easemob.understand(payload, source.tenant))
  const kinds = new Set(messages.map(({ kind }) => kind))
  for (const kind of [
    'text',
    'image',
    'audio',
    'video',
    'file',
    'location',
    'command',
    'custom',
    'combined',
    'recall',
    'edit',
    'other',
  ]) {
    assert.ok(kinds.has(kind as never), kind)
  }
  assert.deepEqual(
    new Set(messages.map(({ conversation }) => conversation.kind)),
    new Set(['direct', 'group', 'room']),
  )
  const ids = new Set(records.map(({ messageId }) => messageId))
  assert.ok(records.length > 2000)
  const repeats = (records.length - ids.size) / records.length
  assert.ok(repeats > 0.005 && repeats < 0.03, String(repeats))
  assert.deepEqual(sandbox.served(), { rows: records.length, messages: ids.size, revisions: ids.size })
})

test('now and then a file has two members without a newline between', async (t) => {
  const { call, linkOf, clock } = await start(t)
  clock.ms = noon + 12 * hour
  let joined = 0
  for (let h = 8; h <= 22; h++) {
    const text = gunzipSync(
      (await call(await linkOf(`20261123${String(h).padStart(2, '0')}`))).bytes,
    ).toString()
    assert.notEqual(text.at(-1), '\n')
    if (text.includes('}{"chat_type"')) joined++
  }
  assert.ok(joined > 0 && joined < 15, String(joined))
})

test('attachments open with their secret or a token and not otherwise', async (t) => {
  const sandbox = await start(t)
  const text = gunzipSync((await sandbox.call(await sandbox.linkOf('2026112310'))).bytes).toString()
  const found = [
    ...text.matchAll(/"file_length":(\d+).*?"secret":"([^"]+)".*?"url":"http[^"]*chatfiles\/([^"]+)"/g),
  ]
  assert.ok(found.length > 0)
  const token = await sandbox.login()
  for (const [, length, secret, uuid] of found) {
    const path = `chatfiles/${uuid!}`
    assert.equal((await sandbox.call(path)).status, 401)
    assert.equal((await sandbox.call(`${path}?share-secret=wrong`)).status, 401)
    const opened = await sandbox.call(`${path}?share-secret=${secret!}`)
    const byToken = await sandbox.call(path, token)
    assert.equal(opened.status, byToken.status)
    if (opened.status === 200) assert.equal(opened.bytes.length, Number(length))
    else assert.match(opened.text, /file_expired/)
  }
  const unknown = await sandbox.call('chatfiles/b0000000-0000-0000-0000-000000000000', token)
  assert.deepEqual([unknown.status, errorOf(unknown.text).error], [404, 'entity_not_found'])
})

test('the pull interface takes one form of query, a limit up to a thousand and its own cursors', async (t) => {
  const { call, login } = await start(t)
  const token = await login()
  const ask = (query: string) => call(`chatmessages?${query}`, token)
  const ql = `ql=select%20*%20where%20timestamp%3E${noon - hour}`
  const plain = await ask(`ql=select+*+where+timestamp>${noon - hour}`)
  assert.equal(plain.status, 200)
  interface Page {
    entities: Record<string, unknown>[]
    count: number
    cursor: string
  }
  const first = JSON.parse((await ask(ql)).text) as Page
  assert.deepEqual([first.entities.length, first.count], [10, 10])
  assert.match(first.cursor, /(?=.*\+)(?=.*\/).*=$/)
  const [row] = first.entities
  assert.deepEqual(
    ['uuid', 'created', 'modified', 'direction'].map((key) => key in row!),
    [true, true, true, false],
  )
  const cursor = `cursor=${encodeURIComponent(first.cursor)}`
  const second = JSON.parse((await ask(`${ql}&limit=1000&${cursor}`)).text) as Page
  const times = [...first.entities, ...second.entities].map(({ timestamp }) => Number(timestamp))
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  assert.ok(times.every((at) => at > noon - hour && at <= noon))
  assert.equal('cursor' in second, false)
  const none = JSON.parse((await ask(`ql=select%20*%20where%20timestamp%3E${noon}`)).text) as Page
  assert.deepEqual([none.entities, none.count, 'cursor' in none], [[], 0, false])
  for (const bad of [
    '',
    'ql=select%20*',
    `${ql}%20and%20timestamp%3C${noon}`,
    `ql=select%20*%20where%20timestamp%3C${noon}`,
    `${ql}&limit=0`,
    `${ql}&limit=1001`,
    `${ql}&limit=ten`,
    `${ql}&cursor=${first.cursor}`,
    `${ql}&cursor=xyz`,
    `ql=select%20*%20where%20timestamp%3E${noon - hour + 1}&${cursor}`,
  ]) {
    const { status, text } = await ask(bad)
    assert.deepEqual([status, errorOf(text).error], [400, 'illegal_argument'], bad)
  }
  assert.equal((await call(`chatmessages?${ql}`)).status, 401)
})

test('pulls are limited together with files, counts are not', async (t) => {
  const { call, login } = await start(t, { callsPerMinute: 2 })
  const token = await login()
  const paths = ['chatmessages/2026112310', 'chatmessages?ql=x', 'users/maya/offline_msg_count']
  const statuses: number[] = []
  for (const path of [...paths, ...paths]) statuses.push((await call(path, token)).status)
  assert.deepEqual(statuses, [200, 400, 200, 429, 429, 200])
})

test('a user has a count for each queue, nobody else has any', async (t) => {
  const { call, login, clock } = await start(t)
  const token = await login()
  let queues = 0
  for (let minute = 0; minute < 60 * 12; minute += 60) {
    clock.ms = noon + minute * 60_000
    const { status, text } = await call('users/maya/offline_msg_count', token)
    const { data, count } = JSON.parse(text) as { data: Record<string, number>; count: number }
    assert.equal(status, 200)
    assert.equal(
      Object.values(data).reduce((sum, next) => sum + next),
      count,
    )
    queues = Math.max(queues, Object.keys(data).length)
  }
  assert.equal(queues, 2)
  const { status, text } = await call('users/nobody/offline_msg_count', token)
  assert.deepEqual([status, errorOf(text).error], [404, 'service_resource_not_found'])
})

test('late rows come into an hour that was handed out before', async (t) => {
  const { sandbox, url, clock } = await start(t, {
    lateRows: 0.1,
    lateAfterMs: 3 * hour,
    tokenLifeMs: 100 * hour,
  })
  const { read, records } = openSource(t, sandbox.sourceConfig(url), () => clock.ms)
  const linesAt = async (ms: number) => {
    clock.ms = ms
    records.length = 0
    await read('2026112310')
    return new Set(records.map(({ messageId }) => messageId))
  }
  const end = Date.parse('2026-11-23T11:00:00+08:00')
  const early = await linesAt(end + 3 * hour - 1)
  const late = await linesAt(end + 3 * hour)
  assert.ok(late.size > early.size && early.size > 0)
  assert.ok([...early].every((id) => late.has(id)))
})
