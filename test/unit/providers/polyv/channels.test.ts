import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ChatfeedError } from '../../../../src/errors.ts'
import { newEntry } from '../../../../src/ingest/entry.ts'
import type { LedgerEntry } from '../../../../src/model.ts'
import { listen, makeContext, morningMs, openSandbox, openSource, readUnit, unitNamed } from './harness.ts'

const entry = { name: 'live', provider: 'polyv', appId: 'a', appSecret: 'b', channels: 'all', since: '1h' }
const hourMs = 3_600_000
const minuteMs = 60_000
const { signal } = new AbortController()

const failed = (code: number, message: string): Response =>
  Response.json({ code, status: 'error', message, data: '' }, { status: code })
const succeeded = (data: unknown): Response =>
  Response.json({ code: 200, status: 'success', message: '', data })

/** An account whose list of channels and whose channels can be changed; every channel has one message an hour. */
async function openAccount(t: TestContext, change: Record<string, unknown> = {}) {
  const account = {
    list: (): Response => succeeded({ channels: [1, 2] }),
    gone: new Set<string>(),
    listCalls: 0,
    calls: [] as string[],
  }
  const { context, clock, seen } = makeContext(morningMs)
  const baseUrl = await listen(t, (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/live/v3/user/channels') {
      account.listCalls++
      return account.list()
    }
    const channel = pathname.split('/')[4] ?? ''
    account.calls.push(channel)
    if (account.gone.has(channel)) return failed(400, 'channel not found.')
    return succeeded([{ id: `m${channel}`, time: clock.nowMs - minuteMs, roomId: channel }])
  })
  const lists = { statuses: ['pass'], scopes: ['public'] }
  const source = openSource(t, { ...entry, ...lists, baseUrl, ...change }, context)
  const names = async (known = new Map<string, LedgerEntry>()): Promise<string[]> =>
    (await source.units(clock.nowMs, known, signal)).map(({ name }) => name)
  return { account, source, clock, seen, names }
}

test('all channels of the account have units, given as numbers, as text or as objects', async (t) => {
  const { account, names } = await openAccount(t)
  account.list = () =>
    succeeded({ channels: [1, '2', { channelId: 3 }, { channelId: '4', name: 'x' }, '2', null, 'x', {}] })
  assert.deepEqual(
    (await names()).filter((name) => name.endsWith('10')),
    ['1/2026112310', '2/2026112310', '3/2026112310', '4/2026112310'],
  )
})

test('the list of channels is asked for every ten minutes, however often units are', async (t) => {
  const { account, clock, names } = await openAccount(t)
  for (let minute = 0; minute < 25; minute++) {
    await names()
    clock.nowMs += minuteMs
  }
  assert.equal(account.listCalls, 3)
})

test('a backfill reads the hours of every channel of the account', async (t) => {
  const { account, source } = await openAccount(t)
  const hours = await source.hours(morningMs - 50 * hourMs, morningMs - 48 * hourMs, signal)
  assert.deepEqual(
    hours.map(({ name }) => name),
    ['1/2026112110', '2/2026112110', '1/2026112111', '2/2026112111'],
  )
  const { reading, records } = await readUnit(source, hours[0]!)
  assert.deepEqual([reading.state, records.length, account.listCalls], ['published', 1, 1])
})

test('a new channel is read from since on', async (t) => {
  const { account, clock, names } = await openAccount(t)
  await names()
  account.list = () => succeeded({ channels: [1, 2, 3] })
  clock.nowMs += 10 * minuteMs
  assert.ok((await names()).includes('3/2026112310'))
})

test('without a first list the source says why it cannot begin', async (t) => {
  const cases: [answer: () => Response, remedy: string, code: string][] = [
    [() => failed(403, 'invalid signature.'), 'fatal', 'wrong_secret'],
    [() => failed(400, 'qps exceeds number of calls'), 'transient', 'throttled'],
    [() => failed(403, 'access forbidden'), 'transient', 'forbidden'],
    [() => succeeded({ channels: null }), 'transient', 'answer_shape'],
    [() => succeeded({ channels: ['x'] }), 'transient', 'answer_shape'],
    [() => succeeded({}), 'transient', 'answer_shape'],
  ]
  for (const [answer, remedy, code] of cases) {
    const { account, names } = await openAccount(t)
    account.list = answer
    await assert.rejects(
      names(),
      (error) => error instanceof ChatfeedError && error.remedy === remedy && error.code === code,
      code,
    )
  }
})

test('a later lookup that fails keeps the last list, and is made again a minute later', async (t) => {
  const { account, clock, names, seen } = await openAccount(t)
  const before = await names()
  for (const answer of [() => failed(403, 'access forbidden'), () => succeeded(''), () => failed(401, 'x')]) {
    account.list = answer
    clock.nowMs += 10 * minuteMs
    assert.deepEqual(await names(), before)
  }
  const callsBefore = account.listCalls
  clock.nowMs += minuteMs
  await names()
  assert.equal(account.listCalls, callsBefore + 1)
  assert.match(seen.log, /the last one is used on/)
})

test('an account without channels has no units, and the log wonders', async (t) => {
  const { account, names, seen } = await openAccount(t)
  account.list = () => succeeded({ channels: [] })
  assert.deepEqual(await names(), [])
  assert.match(seen.log, /no channel in this account/)
})

test('a channel that has left gets no new hours; its unfinished ones are tried once more, until it is back', async (t) => {
  const { account, source, clock, names } = await openAccount(t)
  const units = await source.units(clock.nowMs, new Map(), signal)
  const known = new Map(units.map((unit) => [unit.name, newEntry('live', unit)]))
  known.set('import/2026112309', { ...newEntry('live', units[0]!), unit: 'import/2026112309' })
  const done = known.get('2/2026112310')
  assert.ok(done)
  known.set(done.unit, { ...done, state: 'published', nextLookAt: null })

  account.list = () => succeeded({ channels: [1] })
  clock.nowMs += 2 * hourMs
  const unfinished = () => names(known).then((all) => all.filter((name) => !name.startsWith('1/')))
  assert.deepEqual(await unfinished(), ['2/2026112311'])
  const unit = (await source.units(clock.nowMs, known, signal)).find(({ name }) => name === '2/2026112311')
  assert.ok(unit)
  assert.equal(unit.deadline, unit.opensAt + hourMs, 'a day later it is given up for lost')
  assert.equal((await readUnit(source, unit)).reading.state, 'published')
  assert.deepEqual(await unfinished(), [])

  account.list = () => succeeded({ channels: [1, 2] })
  clock.nowMs += 10 * minuteMs
  assert.deepEqual(await unfinished(), ['2/2026112311', '2/2026112312', '2/2026112313'])
  await readUnit(source, unit)
  account.list = () => succeeded({ channels: [1] })
  clock.nowMs += 10 * minuteMs
  assert.deepEqual(await unfinished(), ['2/2026112311'], 'after its return it can leave once more')
})

test('an hour that was open when its channel left is polled until it has closed', async (t) => {
  const { account, source, clock, names } = await openAccount(t)
  const unit = await unitNamed(source, '2/2026112311', clock.nowMs)
  const known = new Map([[unit.name, newEntry('live', unit)]])
  account.list = () => succeeded({ channels: [1] })
  clock.nowMs += 10 * minuteMs
  await names(known)
  await readUnit(source, unit)
  assert.ok((await names(known)).includes(unit.name))
  clock.nowMs = unit.closesAt
  await names(known)
  await readUnit(source, unit)
  assert.ok(!(await names(known)).includes(unit.name))
})

test('a vanished channel is set aside alone: ten minutes without a call, then one finds out', async (t) => {
  const { account, source, clock } = await openAccount(t, { channels: ['1', '2'] })
  const read = async (name: string) =>
    (await readUnit(source, await unitNamed(source, name, clock.nowMs))).reading
  account.gone.add('2')
  const first = await read('2/2026112310')
  assert.ok(first.state === 'failed' && first.retryAfterMs === 600_000)
  assert.match(first.reason, /no such channel.*Correct the number/)

  clock.nowMs += 4 * minuteMs
  const calls = account.calls.length
  const second = await read('2/2026112311')
  assert.ok(second.state === 'failed' && second.retryAfterMs === 360_000)
  assert.equal(second.reason, first.reason)
  assert.equal(account.calls.length, calls, 'nothing was asked')
  assert.equal((await read('1/2026112310')).state, 'published')

  clock.nowMs += 6 * minuteMs
  assert.equal((await read('2/2026112311')).state, 'failed')
  assert.equal((await read('2/2026112310')).state, 'failed')
  assert.equal(account.calls.filter((channel) => channel === '2').length, 2, 'one call found out for both')

  account.gone.delete('2')
  clock.nowMs += 10 * minuteMs
  assert.equal((await read('2/2026112310')).state, 'published')
  assert.equal((await read('2/2026112311')).state, 'published')
})

/** Channel 1 with one message in each list; `answer` may refuse a list, told by its parameters. */
async function openLists(
  t: TestContext,
  change: Record<string, unknown>,
  answer: (list: URLSearchParams) => Response | undefined,
) {
  const { context, clock } = makeContext(morningMs)
  const asked: string[] = []
  const baseUrl = await listen(t, (request) => {
    const list = new URL(request.url).searchParams
    const name = [list.get('status'), list.get('source'), list.get('roomId')].filter(Boolean).join(' ')
    if (list.get('page') !== '1') return succeeded([])
    asked.push(name)
    return answer(list) ?? succeeded([{ id: name, time: morningMs - hourMs }])
  })
  const source = openSource(t, { ...entry, channels: ['1'], rooms: ['77'], baseUrl, ...change }, context)
  const read = async (hour: string) => {
    const unit = await unitNamed(source, `1/20261123${hour}`, clock.nowMs)
    asked.length = 0
    const { reading, records } = await readUnit(source, unit)
    return { reading, asked: [...asked], ids: records.map(({ messageId }) => messageId) }
  }
  return { read, clock }
}

const plainScope = { statuses: ['pass'], scopes: ['public'] }

test('a room that is not there fails the hour by its name, and the main room is published all the same', async (t) => {
  const { read } = await openLists(t, plainScope, (list) =>
    list.has('roomId') ? failed(400, 'channel not found.') : undefined,
  )
  for (let attempt = 0; attempt < 2; attempt++) {
    const { reading, ids, asked } = await read('10')
    assert.deepEqual(ids, ['pass'])
    assert.deepEqual(asked, ['pass', 'pass 77'], 'the channel is not set aside')
    assert.ok(reading.state === 'failed')
    assert.match(reading.reason, /^roomId=77: .*Take 77 out of rooms/)
  }
})

test('a private chat that is closed fails the hour by its name, and every other list is published', async (t) => {
  const { read } = await openLists(t, { rooms: [] }, (list) =>
    list.has('source') ? failed(500, 'access forbidden') : undefined,
  )
  for (const hour of ['10', '11']) {
    const { reading, ids, asked } = await read(hour)
    assert.deepEqual(ids, ['censor', 'pass'])
    assert.equal(asked.length, 4, 'the channel is not set aside')
    assert.ok(reading.state === 'failed')
    assert.match(reading.reason, /^status=censor, source=extend: .*Take extend out of scopes/)
    assert.doesNotMatch(reading.reason, /Correct the number/)
  }
})

test('what waits for review may be closed without the channel being set aside', async (t) => {
  const { read } = await openLists(t, { scopes: ['public'], rooms: [] }, (list) =>
    list.get('status') === 'censor' ? failed(403, 'access forbidden') : undefined,
  )
  for (let attempt = 0; attempt < 2; attempt++) {
    const { reading, ids } = await read('10')
    assert.deepEqual(ids, ['pass'])
    assert.ok(reading.state === 'failed')
    assert.match(reading.reason, /^status=censor: .*Take censor out of statuses/)
  }
})

test('an open hour with a refused list is polled on, and publishes nothing twice', async (t) => {
  const { read } = await openLists(t, plainScope, (list) =>
    list.has('roomId') ? failed(400, 'channel not found.') : undefined,
  )
  const [first, second] = [await read('11'), await read('11')]
  assert.deepEqual([first.ids, second.ids], [['pass'], []])
  assert.ok(first.reading.state === 'failed' && first.reading.retryAfterMs === undefined)
})

test('a closed hour with a refused list is read again ever more calmly', async (t) => {
  const { read, clock } = await openLists(t, { ...plainScope, since: '48h' }, (list) =>
    list.has('roomId') ? failed(400, 'channel not found.') : undefined,
  )
  const waitMs = async () => {
    const { reading } = await read('10')
    return reading.state === 'failed' ? reading.retryAfterMs : undefined
  }
  assert.equal(await waitMs(), 10 * minuteMs)
  clock.nowMs = Date.parse('2026-11-24T03:00:30Z')
  assert.equal(await waitMs(), 4 * hourMs)
})

test('an hour of which no list can be read rests as the refusal says, open or closed', async (t) => {
  const { read } = await openLists(t, { since: '48h' }, () => failed(400, 'param is not digit: page'))
  for (const hour of ['09', '11']) {
    const { reading } = await read(hour)
    assert.ok(reading.state === 'failed' && reading.retryAfterMs === 10 * minuteMs)
  }
})

test('a channel that is gone is not asked for its other lists', async (t) => {
  const { read } = await openLists(t, {}, () => failed(400, 'channel not found.'))
  const { reading, asked } = await read('10')
  assert.deepEqual(asked, ['censor'])
  assert.ok(reading.state === 'failed')
  assert.match(reading.reason, /^Polyv has no such channel.*Correct the number/)
})

test('of a listed channel that is set aside only the newest and the oldest unfinished hour are listed', async (t) => {
  const { account, source, clock, names } = await openAccount(t, { channels: ['1', '2'], since: '30h' })
  const ofChannel = async (channel: string, known?: Map<string, LedgerEntry>) =>
    (await names(known)).filter((name) => name.startsWith(`${channel}/`))
  const all = await ofChannel('2')
  assert.equal(all.length, 31)
  const units = await source.units(clock.nowMs, new Map(), signal)
  const known = new Map(
    units
      .filter(({ name }) => all.slice(0, 3).includes(name))
      .map((unit) => [unit.name, { ...newEntry('live', unit), nextLookAt: null }]),
  )
  account.gone.add('2')
  await readUnit(source, await unitNamed(source, '2/2026112311', clock.nowMs))
  assert.deepEqual(await ofChannel('2', known), [all[3], '2/2026112311'])
  assert.equal((await ofChannel('1', known)).length, 31)

  clock.nowMs += 10 * minuteMs
  assert.equal((await ofChannel('2', known)).length, 31)
  account.gone.delete('2')
  await readUnit(source, await unitNamed(source, '2/2026112311', clock.nowMs))
  assert.equal((await ofChannel('2', known)).length, 31)
})

test('the simulation lists its channels', async (t) => {
  const { source, clock } = await openSandbox(t, {}, { channels: 'all', since: '1h' })
  const units = await source.units(clock.nowMs, new Map(), signal)
  assert.deepEqual(
    new Set(units.map(({ name }) => name.split('/')[0])),
    new Set(['2477096', '2477097', '2477098']),
  )
})
