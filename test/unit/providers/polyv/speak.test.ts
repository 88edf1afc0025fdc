import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { polyv } from '../../../../src/providers/polyv/index.ts'
import { listen, makeContext, morningMs, openSandbox, openSource, readUnit, unitNamed } from './harness.ts'

const atMs = morningMs - 3_600_000
const entry = { name: 'live', provider: 'polyv', appId: 'a', appSecret: 'b', endpoint: 'v3-speak' }

/** Reads the hour of an account that says these items; returns the ids that come through. */
async function idsOf(t: TestContext, items: unknown[], change: Record<string, unknown>) {
  let calls = 0
  const baseUrl = await listen(t, () => {
    const list = calls++ === 0 ? items : []
    return Response.json({ code: 200, status: 'success', message: '', data: { cursor: '1_1', list } })
  })
  const source = openSource(t, { ...entry, baseUrl, ...change }, makeContext(morningMs).context)
  const { records, reading } = await readUnit(source, await unitNamed(source, 'all/2026112310', morningMs))
  return { ids: records.map(({ messageId }) => messageId), reading }
}

const inChannel = (id: string, place: Record<string, unknown>, user?: unknown) => ({
  id,
  time: atMs,
  ...place,
  user,
})

test('a unit is one hour of the account', async (t) => {
  const source = openSource(t, { ...entry, channels: 'all', since: '2h' }, makeContext(morningMs).context)
  const units = await source.units(morningMs, new Map(), new AbortController().signal)
  assert.deepEqual(
    units.map(({ name }) => name),
    ['all/2026112309', 'all/2026112310', 'all/2026112311'],
  )
})

test('messages that tell of other channels are left out, those that do not tell are kept', async (t) => {
  const items = [
    inChannel('item', { channelId: 5 }),
    inChannel('user', {}, { channelId: '5' }),
    inChannel('text', { roomId: '502' }, '{"channelId":5}'),
    inChannel('guest of 9', { channelId: '5' }, { channelId: '9' }),
    inChannel('room only', { roomId: '999' }),
    inChannel('no user', { roomId: null }, null),
    inChannel('relayed', { roomId: '5' }, { channelId: '9' }),
    inChannel('room asked for', { roomId: '77' }, { channelId: '9' }),
    inChannel('other', { roomId: '9' }, { channelId: '9' }),
    inChannel('other by item', { channelId: 9 }, '{"channelId":"9"}'),
    null,
  ]
  const { ids, reading } = await idsOf(t, items, { channels: ['5', '6'], rooms: ['77'] })
  const kept = [
    'item',
    'user',
    'text',
    'guest of 9',
    'room only',
    'no user',
    'relayed',
    'room asked for',
    null,
  ]
  assert.deepEqual(ids, kept)
  assert.ok(reading.state === 'published' && reading.lines === kept.length)
})

test('with all channels everything is kept', async (t) => {
  const { ids } = await idsOf(t, [inChannel('a', { channelId: 5 }), inChannel('b', {}, '{}')], {
    channels: 'all',
  })
  assert.deepEqual(ids, ['a', 'b'])
})

test('statuses, scopes and rooms have no effect: the account is asked once', async (t) => {
  const { source, seen } = await openSandbox(
    t,
    {},
    { endpoint: 'v3-speak', statuses: ['censor'], rooms: ['1'] },
  )
  const { records } = await readUnit(source, await unitNamed(source, 'all/2026112308', morningMs))
  assert.equal(seen.outcomes.length, 2)
  for (const { payload } of records) assert.equal(polyv.understand(payload, 'a').status, 'visible')
})

test('a broken way of cursors fails the hour with the reason', async (t) => {
  const baseUrl = await listen(t, () =>
    Response.json({ code: 200, status: 'success', data: { list: [inChannel('a', { roomId: '5' })] } }),
  )
  const source = openSource(t, { ...entry, baseUrl, channels: 'all' }, makeContext(morningMs).context)
  const { reading } = await readUnit(source, await unitNamed(source, 'all/2026112310', morningMs))
  assert.ok(reading.state === 'failed')
  assert.match(reading.reason, /names no cursor/)
})
