import assert from 'node:assert/strict'
import { test } from 'node:test'
import { polyv } from '../../../../../src/providers/polyv/index.ts'
import { signatureOf, type Params } from '../../../../../src/providers/polyv/client/signature.ts'
import { morningMs } from '../harness.ts'

interface Answer {
  code: number
  status: string
  message: string
  data: { id: string; time: number; status: string; msgType: string }[] | ''
}

function makeSandbox(options: Record<string, unknown> = {}) {
  const clock = { nowMs: morningMs }
  const sandbox = polyv.sandbox({ seed: 3, now: () => clock.nowMs, messagesPerHour: 600, ...options })
  const { appId, appSecret } = sandbox.sourceConfig('http://x') as { appId: string; appSecret: string }
  const raw = async (query: string, channel = '2477096'): Promise<{ httpStatus: number; body: Answer }> => {
    const response = await sandbox.app.request(`/live/v2/chat/${channel}/getHistory?${query}`)
    return { httpStatus: response.status, body: (await response.json()) as Answer }
  }
  const ask = (change: Params = {}, channel?: string) => {
    const hour = { startDay: '2026-11-23 10:00:00', endDay: '2026-11-23 10:59:59' }
    const params = { appId, timestamp: clock.nowMs, ...hour, ...change }
    const present = Object.entries(params).filter(([, value]) => value !== null && value !== undefined)
    const query = new URLSearchParams(present.map(([name, value]): [string, string] => [name, String(value)]))
    query.set('sign', signatureOf(params, appSecret))
    return raw(query.toString(), channel)
  }
  const list = async (change?: Params, channel?: string) => {
    const { body } = await ask(change, channel)
    assert.ok(body.data !== '', body.message)
    return body.data
  }
  return { sandbox, clock, ask, raw, list, appId, appSecret }
}

const refusals: [name: string, change: Params, httpStatus: number, message: string][] = [
  ['no appId', { appId: null }, 400, 'appId not found.'],
  ['a wrong appId', { appId: 'other' }, 400, 'application not found.'],
  ['no timestamp', { timestamp: null }, 400, 'invalid timestamp.'],
  ['a timestamp in seconds', { timestamp: 1660270926 }, 400, 'invalid timestamp.'],
  ['an old timestamp', { timestamp: morningMs - 180_001 }, 400, 'ptime is too old.'],
  ['a timestamp from the future', { timestamp: morningMs + 180_001 }, 400, 'invalid timestamp.'],
  ['a blank parameter', { roomId: ' ' }, 403, 'invalid signature.'],
  ['an empty parameter', { roomId: '' }, 403, 'invalid signature.'],
  ['no start', { startDay: null }, 400, 'startDay can not be empty.'],
  ['no end', { endDay: null }, 400, 'endDay can not be empty.'],
  ['a wrong date', { startDay: '2026-11-31' }, 400, 'invalid date time format'],
  ['an end before the start', { endDay: '2026-11-23 09:00:00' }, 400, 'startDate can not great endDater'],
  ['a page that is no number', { page: 'x' }, 400, 'param is not digit: page'],
  ['an unknown status', { status: 'gone' }, 400, 'param validate error'],
]

for (const [name, change, httpStatus, message] of refusals) {
  test(`the sandbox refuses ${name} as documented`, async () => {
    const answer = await makeSandbox().ask(change)
    assert.deepEqual(answer, { httpStatus, body: { code: httpStatus, status: 'error', message, data: '' } })
  })
}

test('a signature that does not fit what is sent is refused', async () => {
  const { raw, appId, appSecret } = makeSandbox()
  const params = { appId, timestamp: morningMs, startDay: '2026-11-23', endDay: '2026-11-23' }
  const query = (sign: string): string =>
    new URLSearchParams({ ...params, timestamp: String(morningMs), sign }).toString()
  const right = signatureOf(params, appSecret)
  assert.equal((await raw(query(right))).httpStatus, 200)
  const wrong = [
    right.toLowerCase(),
    '',
    signatureOf(params, 'x'),
    signatureOf({ ...params, channelId: '2477096' }, appSecret),
  ]
  for (const sign of wrong) assert.equal((await raw(query(sign))).body.message, 'invalid signature.')
  assert.equal((await raw(`${query(right)}&limit=5`)).body.message, 'invalid signature.')
})

test('unknown channels are refused', async () => {
  const { ask } = makeSandbox()
  assert.equal((await ask({}, '1234567')).body.message, 'channel not found.')
  assert.equal((await ask({}, 'abc')).body.message, 'param type error')
})

test('pages follow one another, a thousand messages by default, and the last is short or empty', async () => {
  const { list } = makeSandbox()
  const whole = await list()
  assert.ok(whole.length > 100)
  const pages = []
  for (let page = 1; ; page++) {
    const items = await list({ page, limit: 40 })
    pages.push(...items)
    if (items.length < 40) break
  }
  assert.deepEqual(pages, whole)
  const day = await makeSandbox({ messagesPerHour: 6_000 }).list({
    startDay: '2026-11-23',
    endDay: '2026-11-23',
  })
  assert.equal(day.length, 1_000)
  assert.deepEqual(await makeSandbox({ pageLimit: 10 }).list({ limit: 11 }), [])
})

test('windows count whole seconds and include the end second; a bare date is the whole day', async () => {
  const { list } = makeSandbox()
  const all = await list({ startDay: '2026-11-23 10:00:00', endDay: '2026-11-23 10:00:59' })
  let parts = 0
  for (let second = 0; second < 60; second++) {
    const at = `2026-11-23 10:00:${String(second).padStart(2, '0')}`
    parts += (await list({ startDay: at, endDay: at })).length
  }
  assert.ok(all.length > 0)
  assert.equal(parts, all.length)
  const day = await list({ startDay: '2026-11-22', endDay: '2026-11-22', limit: 1_000, page: 2 })
  assert.ok(day.length > 0)
})

test('every message of an hour is in exactly one of the lists', async () => {
  const { list } = makeSandbox()
  const ids: string[] = []
  for (const status of ['pass', 'censor']) {
    for (const source of [null, 'extend']) {
      for (const roomId of [null, '247709602']) {
        const items = await list({ status, source, roomId })
        for (const item of items) assert.equal(item.status === 'pass', status === 'pass')
        ids.push(...items.map(({ id }) => id))
      }
    }
  }
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.length > 200)
})

test('history is the same in every process, and another seed makes another', async () => {
  const once = await makeSandbox().list()
  assert.deepEqual(await makeSandbox().list(), once)
  assert.notDeepEqual(await makeSandbox({ seed: 4 }).list(), once)
})

test('history goes on as time passes, each message visible one to three seconds after it was sent', async () => {
  const { list, clock } = makeSandbox({ messagesPerHour: 20_000 })
  const window = { startDay: '2026-11-23 11:19:00', endDay: '2026-11-23 11:30:00' }
  const before = await list(window, '2477098')
  const youngestMs = morningMs - Math.max(...before.map(({ time }) => time))
  assert.ok(youngestMs >= 1_000 && youngestMs < 3_000, `the youngest message is ${youngestMs} ms old`)
  clock.nowMs += 60_000
  const after = await list(window, '2477098')
  assert.ok(after.length > before.length)
  assert.ok(before.every(({ id }) => after.some((message) => message.id === id)))
})

test('reviewed messages pass and passed ones are deleted as hours go by, in their old place', async () => {
  const { list, clock } = makeSandbox()
  const reviewed = (await list({ status: 'censor' })).filter(({ status }) => status === 'censor')
  const passed = await list()
  clock.nowMs += 6 * 3_600_000
  const laterPassed = new Set((await list()).map(({ id }) => id))
  const laterDeleted = new Set(
    (await list({ status: 'censor' })).filter(({ status }) => status === 'delete').map(({ id }) => id),
  )
  assert.ok(reviewed.some(({ id }) => laterPassed.has(id)))
  assert.ok(passed.some(({ id }) => laterDeleted.has(id)))
})

test('busy and empty hours alternate over three days and no longer', async () => {
  const { list } = makeSandbox()
  const busy = async (day: string, hour: string) =>
    (await list({ startDay: `${day} ${hour}:00:00`, endDay: `${day} ${hour}:59:59` })).length
  assert.ok((await busy('2026-11-23', '09')) > 0)
  assert.equal(await busy('2026-11-23', '08'), 0)
  assert.ok((await busy('2026-11-20', '20')) > 0)
  assert.equal(await busy('2026-11-19', '20'), 0)
})

test('every kind of message occurs, and all are understood', async () => {
  const { sandbox, list } = makeSandbox({ messagesPerHour: 4_000 })
  const kinds = new Set<string>()
  for (const item of await list()) {
    kinds.add(`${polyv.understand(Buffer.from(JSON.stringify(item)), 'app').kind} ${item.msgType}`.trim())
  }
  assert.deepEqual([...kinds].sort(), [
    'custom custom',
    'custom customerMessage',
    'file',
    'image chatImg',
    'red_packet get_redpaper',
    'red_packet redpaper',
    'reward reward',
    'sticker chatImg',
    'text',
  ])
  assert.equal(sandbox.served().rows, sandbox.served().messages)
})

test('beyond the limit of calls every call is refused until the ban is over', async () => {
  const { ask, clock } = makeSandbox({ callsPer10s: 3, banMs: 60_000 })
  const statuses = async (calls: number) => {
    const answers = []
    for (let call = 0; call < calls; call++) answers.push((await ask()).body.message)
    return answers
  }
  const refused = 'qps exceeds number of calls'
  assert.deepEqual(await statuses(4), ['', '', '', refused])
  clock.nowMs += 59_999
  assert.deepEqual(await statuses(1), [refused])
  clock.nowMs += 1
  assert.deepEqual(await statuses(1), [''])
})

test('what went out is counted by row, message and revision, where identify agrees', async () => {
  const { sandbox, list, clock } = makeSandbox()
  const rows = []
  for (let hours = 0; hours < 3; hours++) {
    for (const status of ['pass', 'censor']) rows.push(...(await list({ status })))
    clock.nowMs += 3_600_000
  }
  const revisions = rows.map((row) => {
    const { messageId, fingerprint } = polyv.identify(Buffer.from(JSON.stringify(row)))
    return `${messageId} ${fingerprint.toString('hex')}`
  })
  assert.deepEqual(sandbox.served(), {
    rows: rows.length,
    messages: new Set(rows.map(({ id }) => id)).size,
    revisions: new Set(revisions).size,
  })
  assert.ok(sandbox.served().revisions > sandbox.served().messages)
})
