import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from 'hono'
import { easemob } from '../../../../../src/providers/easemob/index.ts'
import type { Publish } from '../../../../../src/providers/provider.ts'
import {
  failsWith,
  hour,
  hourMs,
  hourStartMs,
  listen,
  now,
  openSource,
  provider,
  refuse,
  send,
} from '../support.ts'

const pull = { mode: 'pull' }
const openUnit = { opensAt: hourStartMs, closesAt: hourStartMs + 2 * hourMs, pollEveryMs: 30_000 }
const entity = (id: number | string, atMs: number) =>
  `{"uuid":"u-${id}", "type":"chatmessage","created":1,"modified":1,"timestamp":${atMs},"from":"a","msg_id":"${id}","to":"b","chat_type":"chat","payload":{"bodies":[{"type":"txt","msg":"你好 \\u0001"}]}}`
const page = (context: Context, entities: string[], more: Record<string, unknown> = {}) =>
  send(
    context,
    `{"action":"get","entities":[${entities.join(' , ')}],"count":${entities.length},${JSON.stringify({ ...more, timestamp: 1 }).slice(1)}`,
  )
const afterOf = (context: Context) =>
  Number(/^select \* where timestamp>(\d+)$/.exec(context.req.query('ql')!)![1])

test('an hour is open from its start, polled until it has settled, and gone after the retention', async (t) => {
  const { source } = openSource(t, {
    ...pull,
    baseUrl: 'http://127.0.0.1:1',
    since: '90m',
    settle: '10m',
    pollEvery: '15s',
  })
  const units = await source.units(hourStartMs + hourMs + 1, new Map(), new AbortController().signal)
  assert.deepEqual(
    units.map(({ name }) => name),
    ['2026112309', '2026112310', '2026112311'],
  )
  assert.deepEqual(units[1], {
    name: hour,
    opensAt: hourStartMs,
    closesAt: hourStartMs + hourMs + 600_000,
    pollEveryMs: 15_000,
    lookAgainMs: [6 * hourMs, 24 * hourMs],
    deadline: hourStartMs + 73 * hourMs,
  })
})

test('a page is asked for with everything escaped and handed on byte for byte', async (t) => {
  const cursor = 'MTYx+OTcy/OTY=&limit=1#%?'
  const first = entity(1, hourStartMs)
  const { read, asked, records } = await provider(
    t,
    {
      pull: (context) =>
        context.req.query('cursor') === undefined
          ? page(context, [first], { cursor })
          : page(context, [entity(2, hourStartMs + hourMs - 1), entity(3, hourStartMs + hourMs)]),
    },
    pull,
  )
  const reading = await read(hour)
  assert.equal(reading.state === 'published' && reading.lines, 2)
  const ql = `/acme/helpdesk/chatmessages?ql=select%20%2A%20where%20timestamp%3E${hourStartMs - 1}&limit=1000`
  assert.deepEqual(
    asked.slice(1).map(({ method, path }) => [method, path]),
    [
      ['GET', ql],
      ['GET', `${ql}&cursor=MTYx%2BOTcy%2FOTY%3D%26limit%3D1%23%25%3F`],
    ],
  )
  assert.deepEqual(records[0]?.payload, Buffer.from(first))
  assert.deepEqual(
    records.map(({ position, messageId }) => [position, messageId]),
    [
      ['1', '1'],
      ['2', '2'],
    ],
  )
})

test('the same messages have the same ids and fingerprints as in a file', async (t) => {
  const { records, read, source } = await provider(
    t,
    { pull: (context) => page(context, [entity(1, hourStartMs), entity('5I02W-16-8278a', hourStartMs + 1)]) },
    pull,
  )
  await read(hour)
  for (const { payload, messageId, fingerprint, sentAt } of records) {
    const row = JSON.parse(payload.toString()) as Record<string, object>
    for (const key of ['uuid', 'type', 'created', 'modified']) assert.ok(Reflect.deleteProperty(row, key))
    const line = Buffer.from(
      JSON.stringify({
        ...row,
        direction: 'outgoing',
        payload: { from: 'a', to: 'b', ext: {}, ...row.payload },
      }),
    )
    assert.deepEqual(easemob.identify(line), { messageId, fingerprint, sentAt })
    assert.deepEqual(easemob.understand(line, source.tenant), easemob.understand(payload, source.tenant))
  }
})

test('rows that are no messages are handed on with a position of their own', async (t) => {
  const { records, read } = await provider(
    t,
    {
      pull: (context) =>
        page(context, ['null', '{"msg_id":7}', '{"x":1}', '"\\ud800"', entity(1, hourStartMs)]),
    },
    pull,
  )
  const reading = await read(hour)
  assert.equal(reading.state === 'published' && reading.lines, 5)
  assert.deepEqual(
    records.map(({ messageId }) => messageId),
    [null, '7', null, null, '1'],
  )
  assert.equal(new Set(records.map(({ position }) => position)).size, 5)
  assert.match(String(records[0]?.position), /^~[0-9a-f]{32}$/)
})

test('an open hour is polled from a minute before the newest row, and only new rows are published', async (t) => {
  let at = hourStartMs + 10 * 60_000
  const rows: [id: number, atMs: number][] = [[1, hourStartMs + 1000]]
  const asked: number[] = []
  const { read, records } = await provider(
    t,
    {
      pull: (context) => {
        const after = afterOf(context)
        asked.push(after)
        return page(
          context,
          rows.filter(([, atMs]) => atMs > after).map(([id, atMs]) => entity(id, atMs)),
        )
      },
    },
    pull,
    () => at,
  )
  let flushed = 0
  const publish: Publish = Object.assign(
    (record: Parameters<Publish>[0]) => {
      records.push(record)
      return undefined
    },
    { flush: () => Promise.resolve(void flushed++) },
  )
  const poll = async () => {
    records.length = 0
    const reading = await read(hour, { unit: openUnit, publish })
    return [reading.state === 'published' && reading.lines, records.map(({ messageId }) => messageId)]
  }
  assert.deepEqual(await poll(), [1, ['1']])
  const newest = at - 1000
  rows.push([2, newest], [3, newest])
  assert.deepEqual(await poll(), [3, ['2', '3']])
  // Late, but within the minute; and one of the same millisecond.
  rows.push([4, newest - 59_000], [5, newest])
  assert.deepEqual(await poll(), [5, ['4', '5']])
  assert.deepEqual(await poll(), [5, []])
  // Too late for the polls.
  rows.push([6, hourStartMs + 2000])
  assert.deepEqual(await poll(), [5, []])
  assert.deepEqual(asked, [
    hourStartMs - 1,
    hourStartMs - 1,
    newest - 60_001,
    newest - 60_001,
    newest - 60_001,
  ])
  assert.equal(flushed, 5)
  at = openUnit.closesAt
  assert.deepEqual(await poll(), [6, ['1', '2', '3', '4', '5', '6']])
  assert.deepEqual(await poll(), [6, ['1', '2', '3', '4', '5', '6']])
})

test('a row from a clock that is ahead does not hide those that come before it', async (t) => {
  const at = hourStartMs + 60_000
  const rows: [number, number][] = [[1, hourStartMs + hourMs - 1]]
  const { read } = await provider(
    t,
    {
      pull: (context) =>
        page(
          context,
          rows.filter(([, atMs]) => atMs > afterOf(context)).map(([id, atMs]) => entity(id, atMs)),
        ),
    },
    pull,
    () => at,
  )
  await read(hour, { unit: openUnit })
  rows.push([2, at])
  const reading = await read(hour, { unit: openUnit })
  assert.equal(reading.state === 'published' && reading.lines, 2)
})

test('after a poll that failed the next publishes everything again', async (t) => {
  let broken = false
  const { read, records } = await provider(
    t,
    { pull: (context) => (broken ? context.html('oops', 500) : page(context, [entity(1, hourStartMs)])) },
    pull,
    () => hourStartMs + 1,
  )
  await read(hour, { unit: openUnit })
  broken = true
  assert.equal((await read(hour, { unit: openUnit })).state, 'failed')
  broken = false
  await read(hour, { unit: openUnit })
  assert.deepEqual(
    records.map(({ messageId }) => messageId),
    ['1', '1'],
  )
})

test('what the publisher throws ends the poll, and nothing counts as published', async (t) => {
  const { read, records } = await provider(
    t,
    { pull: (context) => page(context, [entity(1, hourStartMs)]) },
    pull,
    () => hourStartMs + 1,
  )
  const gone: Publish = () => Promise.reject(new Error('gone'))
  await assert.rejects(read(hour, { unit: openUnit, publish: gone }), /gone/)
  await read(hour, { unit: openUnit })
  assert.equal(records.length, 1)
})

test('an hour without rows is empty, and lost once the provider need no longer have it', async (t) => {
  const { read } = await provider(t, { pull: (context) => page(context, []) }, pull)
  assert.deepEqual(await read(hour), { state: 'empty', reason: 'no messages in this hour' })
  assert.equal((await read('2026112010')).state, 'lost')
  assert.equal((await read('2026112314')).state, 'not_yet')
})

test('rows of an hour older than the retention are published with a finding', async (t) => {
  const oldMs = hourStartMs - 72 * hourMs
  const { read } = await provider(t, { pull: (context) => page(context, [entity(1, oldMs)]) }, pull)
  const reading = await read('2026112010')
  assert.match((reading.state === 'published' && reading.finding) || '', /older than retention/)
})

test('an answer that is no whole page is a failed reading', async (t) => {
  const whole = `{"entities":[${entity(1, hourStartMs)}],"count":1}`
  const bodies = [
    '',
    '<html></html>',
    '[]',
    '{}',
    '{"entities":null}',
    '{"entities":{}}',
    '{"data":[]}',
    '{"count":0}',
  ]
  const broken = [whole.slice(0, -1), whole.slice(0, 60), `${whole}${whole}`, '{"error":"x","entities":[]}']
  const cursors = [
    '{"entities":[],"cursor":{}}',
    '{"entities":[],"cursor":true}',
    '{"entities":[],"cursor":"\\ud800"}',
  ]
  for (const body of [...bodies, ...broken, ...cursors]) {
    const { read, records } = await provider(t, { pull: (context) => send(context, body) }, pull)
    assert.equal((await read(hour)).state, 'failed', body)
    assert.deepEqual(records, [])
  }
})

test('no cursor is written as none, null or empty; a number is one', async (t) => {
  for (const cursor of [undefined, null, '']) {
    const { read, asked } = await provider(t, { pull: (context) => page(context, [], { cursor }) }, pull)
    assert.equal((await read(hour)).state, 'empty')
    assert.equal(asked.length, 2)
  }
  const { read, asked } = await provider(
    t,
    {
      pull: (context) =>
        context.req.query('cursor')
          ? page(context, [])
          : send(context, '{"entities":[],"cursor":12345678901234567890}'),
    },
    pull,
  )
  assert.equal((await read(hour)).state, 'empty')
  assert.match(asked.at(-1)!.path, /&cursor=12345678901234567890$/)
})

test('answers of many megabytes are read whole', async (t) => {
  const long = 'x'.repeat(128 * 1024)
  const rows = Array.from({ length: 40 }, (_, id) => entity(id, hourStartMs + id).replace('你好', long))
  const { read } = await provider(t, { pull: (context) => page(context, rows) }, pull)
  const reading = await read(hour)
  assert.equal(reading.state === 'published' && reading.lines, 40)
})

test('refusals stop, pause, or fail the hour', async (t) => {
  const answers = (status: number, body: Record<string, unknown>) => ({
    pull: (context: Context) => refuse(context, status, body),
  })
  const retired = await provider(t, answers(400, { error: 'illegal_argument' }), pull)
  await assert.rejects(retired.read(hour), (error) => {
    assert.match((error as { mend?: string }).mend ?? '', /mode to files/)
    return failsWith('fatal', 'refused')(error)
  })
  const unknown = await provider(t, answers(404, { error: 'organization_application_not_found' }), pull)
  await assert.rejects(unknown.read(hour), failsWith('fatal', 'unknown_app'))
  const limited = await provider(t, answers(429, { error: 'reach_limit' }), pull)
  await assert.rejects(limited.read(hour), failsWith('transient', 'throttled'))
  assert.deepEqual(limited.pauses, [60_000])
  const broken = await provider(t, answers(500, { error: 'no_full_text_index' }), pull)
  assert.equal((await broken.read(hour)).state, 'failed')
  const page404 = await provider(t, { pull: (context) => context.html('404', 404) }, pull)
  assert.equal((await page404.read(hour)).state, 'failed')
})

test('a cursor that is refused fails the hour, and the next reading begins without it', async (t) => {
  let isStale = true
  const { read, asked } = await provider(
    t,
    {
      pull: (context) => {
        if (!context.req.query('cursor')) return page(context, [entity(1, hourStartMs)], { cursor: 'abc' })
        return isStale
          ? refuse(context, 400, { error: 'illegal_argument', error_description: 'invalid cursor' })
          : page(context, [entity(2, hourStartMs + 1)])
      },
    },
    pull,
  )
  const reading = await read(hour)
  assert.match(reading.state === 'failed' ? reading.reason : '', /does not accept its own cursor/)
  isStale = false
  const again = await read(hour)
  assert.equal(again.state === 'published' && again.lines, 2)
  assert.doesNotMatch(asked.at(-2)!.path, /cursor/)
})

test('a unit of another kind is a failed reading without a call', async (t) => {
  const { read, asked } = await provider(t, {}, pull)
  assert.equal((await read('import/old.gz')).state, 'failed')
  assert.deepEqual(asked, [])
})

test('hours of the sandbox are the same by both ways', async (t) => {
  const clock = now + hourMs
  const sandbox = easemob.sandbox({
    seed: 3,
    now: () => clock,
    messagesPerHour: 1200,
    callsPerMinute: 6000,
  })
  const url = await listen(t, sandbox.app)
  const found = async (mode: string) => {
    const { source, read, records } = openSource(t, { ...sandbox.sourceConfig(url), mode }, () => clock)
    const units = await source.units(clock, new Map(), new AbortController().signal)
    const closed = units.filter(({ closesAt }) => closesAt <= clock).slice(-4)
    assert.equal(closed.length, 4)
    const states = new Map<string, string>()
    for (const unit of closed) states.set(unit.name, (await read(unit.name, { unit })).state)
    const names = records.map(
      ({ messageId, fingerprint }) => `${messageId ?? ''} ${fingerprint.toString('hex')}`,
    )
    return { states, names: [...new Set(names)].sort() }
  }
  const files = await found('files')
  assert.ok(files.names.length > 2000)
  assert.deepEqual(await found('pull'), files)
})
