import { newEntry } from '../../../../src/ingest/entry.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError } from '../../../../src/errors.ts'
import { polyv } from '../../../../src/providers/polyv/index.ts'
import type { RawRecord } from '../../../../src/providers/provider.ts'
import {
  listen,
  makeContext,
  morningMs,
  openSandbox,
  openSource,
  readUnit,
  rowOf,
  unitNamed,
} from './harness.ts'

const classUnit = '2477096/2026112310'
const openUnit = '2477098/2026112311'
const entry = { name: 'live', provider: 'polyv', appId: 'a', appSecret: 'b', channels: ['1'] }
const minuteMs = 60_000

test('units are the hours of every channel since the beginning, oldest first', async (t) => {
  const { context } = makeContext(morningMs)
  const source = openSource(
    t,
    { ...entry, channels: ['1', '2'], since: '2h', pollEvery: '5s', lookAgain: ['1m', '1h'] },
    context,
  )
  const units = await source.units(morningMs, new Map(), new AbortController().signal)
  assert.deepEqual(
    units.map(({ name }) => name),
    ['1/2026112309', '2/2026112309', '1/2026112310', '2/2026112310', '1/2026112311', '2/2026112311'],
  )
  const opensAt = Date.parse('2026-11-23T01:00:00Z')
  assert.deepEqual(units[0], {
    name: '1/2026112309',
    opensAt,
    closesAt: opensAt + 3_600_000 + 30_000,
    pollEveryMs: 5_000,
    lookAgainMs: [60_000, 3_600_000],
    deadline: null,
  })
})

test('an hour stays listed while it waits for second looks, however long since is', async (t) => {
  const { context } = makeContext(morningMs)
  const source = openSource(t, { ...entry, since: '1h' }, context)
  const { signal } = new AbortController()
  const [first] = await source.units(morningMs, new Map(), signal)
  assert.ok(first)
  const known = new Map([[first.name, { ...newEntry(entry.name, first), nextLookAt: morningMs }]])
  const later = await source.units(morningMs + 48 * 3_600_000, known, signal)
  assert.equal(later[0]?.name, first.name)
  assert.equal(later.length, 50)
})

test('a closed hour is read whole over many small pages, each record with its own bytes', async (t) => {
  const { source, sandbox, clock } = await openSandbox(t, { pageLimit: 7 })
  const unit = await unitNamed(source, classUnit, clock.nowMs)
  const { reading, records } = await readUnit(source, unit)
  assert.equal(reading.state, 'published')
  assert.ok(reading.state === 'published' && reading.lines > 50)
  assert.equal(reading.lines, records.length)
  assert.equal(
    reading.bytes,
    records.reduce((sum, { payload }) => sum + payload.length, 0),
  )
  const { messages, revisions } = sandbox.served()
  assert.deepEqual([messages, revisions], [records.length, records.length])
  for (const { payload, messageId, fingerprint } of records) {
    assert.equal((JSON.parse(payload.toString()) as { id: string }).id, messageId)
    assert.deepEqual(polyv.identify(payload).fingerprint, fingerprint)
  }
  const statuses = new Set(records.map(({ payload }) => polyv.understand(payload, 'app').status))
  assert.deepEqual([...statuses].sort(), ['deleted', 'pending', 'visible'])
})

test('small and large pages read the same: lines, bytes and digest', async (t) => {
  const large = await openSandbox(t)
  const small = await openSandbox(t, { pageLimit: 3 })
  const unit = await unitNamed(large.source, classUnit, morningMs)
  const readings = [
    (await readUnit(large.source, unit)).reading,
    (await readUnit(small.source, unit)).reading,
  ]
  assert.equal(readings[0]?.state, 'published')
  assert.deepEqual(readings[0], readings[1])
})

test('rooms are read beside the main room', async (t) => {
  const main = await openSandbox(t)
  const withRoom = await openSandbox(t, {}, { rooms: ['247709602'] })
  const unit = await unitNamed(main.source, classUnit, morningMs)
  const mainRows = (await readUnit(main.source, unit)).records.length
  const { records } = await readUnit(withRoom.source, unit)
  const rooms = records.map(({ payload }) => polyv.understand(payload, 'app').conversation.id)
  assert.deepEqual([...new Set(rooms)].sort(), ['2477096', '247709602'])
  assert.ok(records.length > mainRows)
})

test('an hour without messages is empty, not published', async (t) => {
  const { source } = await openSandbox(t)
  const unit = await unitNamed(source, '2477096/2026112308', morningMs)
  assert.equal((await readUnit(source, unit)).reading.state, 'empty')
})

test('an open hour publishes only what this process has not published; a closed one everything again', async (t) => {
  const { source, clock } = await openSandbox(t)
  const unit = await unitNamed(source, openUnit, clock.nowMs)
  const first = await readUnit(source, unit)
  const again = await readUnit(source, unit)
  assert.ok(first.records.length > 3)
  assert.deepEqual([again.records.length, again.reading], [0, first.reading])

  clock.nowMs += 10 * minuteMs
  const grown = await readUnit(source, unit)
  assert.ok(grown.records.length > 0)
  assert.equal(grown.records.filter((record) => first.records.map(rowOf).includes(rowOf(record))).length, 0)
  assert.ok(grown.reading.state === 'published' && first.reading.state === 'published')
  assert.ok(grown.reading.lines > first.reading.lines)

  clock.nowMs = unit.closesAt
  const closed = await readUnit(source, unit)
  assert.ok(closed.reading.state === 'published')
  assert.equal(closed.records.length, closed.reading.lines)
  assert.equal((await readUnit(source, unit)).records.length, closed.records.length)
})

test('a change of status is a new row with the same id and a new fingerprint', async (t) => {
  const { source, clock } = await openSandbox(t)
  const unit = await unitNamed(source, classUnit, clock.nowMs)
  const before = await readUnit(source, unit)
  clock.nowMs += 3 * 3_600_000
  const after = await readUnit(source, unit)
  const known = new Map(before.records.map((record) => [record.messageId, record]))
  const changed = after.records.filter((record) => {
    const old = known.get(record.messageId)
    return old && rowOf(old) !== rowOf(record)
  })
  assert.ok(changed.length > 0)
  const steps = changed.map((record) => {
    const old = known.get(record.messageId)!
    return `${polyv.understand(old.payload, 'a').status} to ${polyv.understand(record.payload, 'a').status}`
  })
  assert.ok(steps.includes('pending to visible'))
  for (const step of steps) assert.match(step, /^(pending to visible|pending to deleted|visible to deleted)$/)
  assert.notDeepEqual(after.reading, before.reading)
})

test('a muted sender is no change: the closed hour has the same digest as long as no status changed', async (t) => {
  const first = await openSandbox(t, {}, { statuses: ['pass'], scopes: ['public'] })
  const unit = await unitNamed(first.source, classUnit, morningMs)
  const { records } = await readUnit(first.source, unit)
  const muted = records.filter(({ payload }) => payload.includes('"banned":true'))
  assert.ok(muted.length > 0)
  for (const { payload, fingerprint } of muted) {
    const unmuted = Buffer.from(payload.toString().replace('"banned":true', '"banned":false'))
    assert.deepEqual(polyv.identify(unmuted).fingerprint, fingerprint)
  }
})

test('after a failed reading the open hour is published whole again', async (t) => {
  const { source, clock } = await openSandbox(t)
  const unit = await unitNamed(source, openUnit, clock.nowMs)
  const whole = (await readUnit(source, unit)).records.length
  clock.nowMs += 10 * minuteMs
  const refuse = (): Promise<void> => Promise.reject(new Error('Kafka is away'))
  await assert.rejects(source.read(unit, refuse, new AbortController().signal), /Kafka is away/)
  assert.ok((await readUnit(source, unit)).records.length > whole)
})

test('a wrong secret is fatal, an unknown channel fails only its own units', async (t) => {
  const { sandbox, baseUrl, context } = await openSandbox(t)
  const config = sandbox.sourceConfig(baseUrl)
  const locked = openSource(t, { ...config, appSecret: 'wrong' }, context)
  const unit = await unitNamed(locked, classUnit, morningMs)
  await assert.rejects(readUnit(locked, unit), (error) => {
    return error instanceof ChatfeedError && error.remedy === 'fatal' && error.code === 'wrong_secret'
  })
  const gone = openSource(t, { ...config, channels: ['99', '2477096'] }, context)
  const { reading, records } = await readUnit(gone, await unitNamed(gone, '99/2026112310', morningMs))
  assert.ok(reading.state === 'failed' && reading.retryAfterMs === 600_000)
  assert.match(reading.reason, /no such channel/)
  assert.equal(records.length, 0)
  const neighbour = await readUnit(gone, await unitNamed(gone, classUnit, morningMs))
  assert.equal(neighbour.reading.state, 'published')
})

test('the ban of the service ends the reading with the time to wait; after it everything is there', async (t) => {
  const { source, clock, seen } = await openSandbox(t, { callsPer10s: 3, banMs: 60_000, pageLimit: 7 })
  const unit = await unitNamed(source, classUnit, clock.nowMs)
  await assert.rejects(readUnit(source, unit), (error) => {
    return error instanceof ChatfeedError && error.code === 'throttled' && error.retryAfterMs === 300_000
  })
  assert.deepEqual(seen.pausesMs, [300_000])
  await assert.rejects(readUnit(source, unit), /too many calls/)
  clock.nowMs += 71_000
  await assert.rejects(
    readUnit(source, unit),
    /too many calls/,
    'the pages of one reading are too many at once',
  )
  assert.deepEqual(seen.outcomes.filter((outcome) => outcome === 'ok').length, 6)
})

test('a machine whose clock is off by an hour still reads', async (t) => {
  const { clock, baseUrl, sandbox } = await openSandbox(t)
  const wrong = makeContext(clock.nowMs + 3_600_000)
  const source = openSource(t, sandbox.sourceConfig(baseUrl), wrong.context)
  const unit = await unitNamed(source, classUnit, clock.nowMs)
  assert.equal((await readUnit(source, unit)).reading.state, 'published')
  assert.equal(wrong.seen.outcomes[0], 'clock')
})

/** A service whose pages are made by a function of (page, status). */
async function paged(t: Parameters<typeof listen>[0], pageOf: (page: number, status: string) => Response) {
  const baseUrl = await listen(t, (request) => {
    const params = new URL(request.url).searchParams
    return pageOf(Number(params.get('page')), params.get('status') ?? '')
  })
  const { context } = makeContext(morningMs)
  const source = openSource(
    t,
    { ...entry, baseUrl, pageSize: 2, statuses: ['pass'], scopes: ['public'] },
    context,
  )
  return { source, unit: await unitNamed(source, '1/2026112310', morningMs) }
}

const itemsAnswer = (...items: string[]): Response =>
  new Response(`{"code":200,"status":"success","message":"","data":[${items.join(',')}]}`)
const itemAt = (id: string, atMs: number, more = ''): string =>
  `{ "id":"${id}","time":${atMs},"roomId":"1"${more} }`
const insideMs = morningMs - 3_600_000

test('a page that fails in the middle never makes a short hour', async (t) => {
  const { source, unit } = await paged(t, (page) =>
    page === 1
      ? itemsAnswer(itemAt('a', insideMs), itemAt('b', insideMs))
      : new Response('<html>', { status: 502 }),
  )
  await assert.rejects(
    readUnit(source, unit),
    (error) => error instanceof ChatfeedError && error.code === 'gateway',
  )
})

test('an exactly full last page is followed by one more call', async (t) => {
  const asked: number[] = []
  const { source, unit } = await paged(t, (page) => {
    asked.push(page)
    return page === 1 ? itemsAnswer(itemAt('a', insideMs), itemAt('b', insideMs)) : itemsAnswer()
  })
  const { reading } = await readUnit(source, unit)
  assert.ok(reading.state === 'published' && reading.lines === 2)
  assert.deepEqual(asked.slice(0, 2), [1, 2])
})

test('pages that only repeat end the reading, but not as a complete hour', async (t) => {
  const { source, unit } = await paged(t, () => itemsAnswer(itemAt('a', insideMs), itemAt('b', insideMs)))
  const { reading } = await readUnit(source, unit)
  assert.equal(reading.state, 'failed')
  assert.match('reason' in reading ? reading.reason : '', /repeat themselves/)
})

test('a message met on two pages is one row', async (t) => {
  const pages = [['a', 'b'], ['b', 'c'], []]
  const { source, unit } = await paged(t, (page) =>
    itemsAnswer(...(pages[page - 1] ?? []).map((id) => itemAt(id, insideMs))),
  )
  const { records } = await readUnit(source, unit)
  assert.deepEqual(
    records.map(({ position }) => position),
    ['a', 'b', 'c'],
  )
})

test('success without a list is no empty hour', async (t) => {
  const { source, unit } = await paged(t, () =>
    Response.json({ code: 200, status: 'success', message: '', data: {} }),
  )
  const { reading } = await readUnit(source, unit)
  assert.equal(reading.state, 'failed')
  assert.match('reason' in reading ? reading.reason : '', /without a list/)
})

test('the second after the hour is asked for, and what lies beyond the end is left to the next hour', async (t) => {
  let endDay: string | null = null
  const endMs = Date.parse('2026-11-23T03:00:00Z')
  const baseUrl = await listen(t, (request) => {
    endDay = new URL(request.url).searchParams.get('endDay')
    return itemsAnswer(itemAt('last', endMs - 1), itemAt('edge', endMs), itemAt('next', endMs + 1))
  })
  const { context } = makeContext(morningMs)
  const source = openSource(t, { ...entry, baseUrl, statuses: ['pass'], scopes: ['public'] }, context)
  const { records } = await readUnit(source, await unitNamed(source, '1/2026112310', morningMs))
  assert.equal(endDay, '2026-11-23 11:00:00')
  assert.deepEqual(
    records.map(({ position }) => position),
    ['last'],
  )
})

test('a message whose time lies outside the hour that was asked for is kept: no other hour may bring it', async (t) => {
  const endMs = Date.parse('2026-11-23T03:00:00Z')
  const times = [endMs + 1_000, endMs + 3_600_000, endMs - 7_200_000, 4_102_444_800_000]
  const items = times.map((atMs) => itemAt(`at ${atMs}`, atMs))
  const baseUrl = await listen(t, () => itemsAnswer(...items, 'null', '"text"', '7', '{"id":"no time"}'))
  const { context } = makeContext(morningMs)
  const source = openSource(t, { ...entry, baseUrl, statuses: ['pass'], scopes: ['public'] }, context)
  const { records, reading } = await readUnit(source, await unitNamed(source, '1/2026112310', morningMs))
  assert.equal(records.length, items.length + 4)
  assert.ok(reading.state === 'published' && reading.lines === records.length)
})

test('payloads are the bytes of the answer, broken neighbours and bytes that are no UTF-8 included', async (t) => {
  const items = [
    Buffer.from(itemAt('a', insideMs, ' ,\t"content":"\\u4f60]}","big":12345678901234567890.10')),
    Buffer.concat([Buffer.from('{"id":"b","content":"'), Buffer.from([0xff, 0xc3, 0x28]), Buffer.from('"}')]),
    Buffer.from('{"id": tru }'),
    Buffer.from(itemAt('c', insideMs)),
  ]
  const body = Buffer.concat([
    Buffer.from('{"data":[\n'),
    ...items.flatMap((item, index) => (index ? [Buffer.from(' ,\r\n'), item] : [item])),
    Buffer.from(' ],"code":200,"status":"success"}'),
  ])
  const baseUrl = await listen(t, () => new Response(body))
  const { context } = makeContext(morningMs)
  const source = openSource(t, { ...entry, baseUrl, statuses: ['pass'], scopes: ['public'] }, context)
  const { reading, records } = await readUnit(source, await unitNamed(source, '1/2026112310', morningMs))
  assert.deepEqual(
    records.map(({ payload }) => Buffer.from(payload)),
    items,
  )
  assert.deepEqual(
    records.map(({ messageId }) => messageId),
    ['a', 'b', null, 'c'],
  )
  assert.ok(reading.state === 'published' && reading.lines === 4)
})

test('an item without status from the list of the reviewed keeps that in its position', async (t) => {
  const baseUrl = await listen(t, (request) => {
    const status = new URL(request.url).searchParams.get('status')
    return itemsAnswer(itemAt(status === 'censor' ? 'hidden' : 'shown', insideMs))
  })
  const { context } = makeContext(morningMs)
  const source = openSource(t, { ...entry, baseUrl, scopes: ['public'] }, context)
  const unit = await unitNamed(source, '1/2026112310', morningMs)
  const { records } = await readUnit(source, unit)
  const told = records.map(({ payload, position }) => {
    const { messageId, status } = polyv.understand(payload, 'a', `${unit.name}#${position}`)
    return `${messageId} ${status}`
  })
  assert.deepEqual(told, ['hidden pending', 'shown visible'])
})

test('a message that is approved while the hour is read is met twice, not never', async (t) => {
  let approved = false
  const baseUrl = await listen(t, (request) => {
    const isPassList = new URL(request.url).searchParams.get('status') === 'pass'
    const answer = isPassList === approved ? itemsAnswer(itemAt('a', insideMs)) : itemsAnswer()
    approved = true
    return answer
  })
  const { context } = makeContext(morningMs)
  const statuses = ['pass', 'censor']
  const source = openSource(t, { ...entry, baseUrl, statuses, scopes: ['public'] }, context)
  const { reading, records } = await readUnit(source, await unitNamed(source, '1/2026112310', morningMs))
  assert.deepEqual(
    records.map(({ position }) => position),
    ['a?status=censor', 'a'],
  )
  assert.ok(reading.state === 'published' && reading.lines === 1)
})

test('the reader waits when the publisher asks it to', async (t) => {
  const { source } = await openSandbox(t)
  const unit = await unitNamed(source, classUnit, morningMs)
  let underWay = 0
  let most = 0
  const publish = async (_record: RawRecord): Promise<void> => {
    most = Math.max(most, ++underWay)
    await new Promise((resolve) => setImmediate(resolve))
    underWay--
  }
  await source.read(unit, publish, new AbortController().signal)
  assert.equal(most, 1)
})

test('a unit of another provider fails, an hour that has not begun is not yet', async (t) => {
  const { source, clock } = await openSandbox(t)
  const unit = await unitNamed(source, openUnit, clock.nowMs)
  assert.equal((await readUnit(source, { ...unit, name: '2026112310' })).reading.state, 'failed')
  clock.nowMs = unit.opensAt - 1
  assert.equal((await readUnit(source, unit)).reading.state, 'not_yet')
})

test('rows of an open hour that Kafka did not acknowledge are published again by the next poll', async (t) => {
  const { source, clock } = await openSandbox(t)
  const unit = await unitNamed(source, openUnit, clock.nowMs)
  let published = 0
  const publish = Object.assign((): undefined => void published++, {
    flush: () => Promise.reject(new ChatfeedError('transient', 'kafka_unreachable', 'Kafka is away.')),
  })
  await assert.rejects(source.read(unit, publish, new AbortController().signal), {
    code: 'kafka_unreachable',
  })
  assert.ok(published > 0)
  const { records } = await readUnit(source, unit)
  assert.equal(records.length, published)
})
