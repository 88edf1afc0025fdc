import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Context } from 'hono'
import type { ChatfeedError } from '../../../../src/errors.ts'
import { easemob } from '../../../../src/providers/easemob/index.ts'
import { type Answers, failsWith, hour, listen, now, openSource, provider, refuse, send } from './support.ts'

const entry = (...users: string[]) => ({ unread: { users, every: '5m' } })
const never = new AbortController().signal

async function readUser(t: TestContext, unread: NonNullable<Answers['unread']>, user = 'alice') {
  const probe = await provider(t, { unread }, entry(user))
  return { ...probe, reading: await probe.source.unread!.read(user, never) }
}

/** A source whose service holds back every count, once it has told so. */
async function readThrottled(t: TestContext, retryAfterSeconds: number) {
  const unread = (context: Context) => {
    context.header('retry-after', String(retryAfterSeconds))
    return refuse(context, 429, { error: 'reach_limit' })
  }
  const probe = await provider(t, { unread }, entry('alice', 'bob'))
  await assert.rejects(probe.source.unread!.read('alice', never), failsWith('transient', 'throttled'))
  return probe
}

test('a source has a poll where users are named, in both modes', (t) => {
  const baseUrl = 'http://127.0.0.1:1'
  for (const mode of ['files', 'pull']) {
    const { source } = openSource(t, { baseUrl, mode, ...entry('alice', 'bob') })
    assert.deepEqual([source.unread?.users, source.unread?.everyMs], [['alice', 'bob'], 300_000])
    assert.equal(openSource(t, { baseUrl, mode }).source.unread, undefined)
  }
})

test('the count is the sum over the queues of the user', async (t) => {
  const old = await readUser(t, (context) =>
    context.json({ action: 'get', uri: 'x', entities: [], data: { alice: 3 }, timestamp: 1, duration: 57 }),
  )
  assert.deepEqual(old.reading, { count: 3, queues: { alice: 3 } })
  const many = await readUser(t, (context) => context.json({ data: { alice: 3, 'alice/web': 4 }, count: 7 }))
  assert.deepEqual(many.reading, { count: 7, queues: { alice: 3, 'alice/web': 4 } })
  const none = await readUser(t, (context) => context.json({ data: {}, count: 0 }))
  assert.deepEqual(none.reading, { count: 0, queues: {} })
  const text = await readUser(t, (context) => context.json({ data: { alice: '12' } }))
  assert.deepEqual(text.reading, { count: 12, queues: { alice: 12 } })
})

test('the user is asked for by GET, with the name escaped and the token', async (t) => {
  const { asked } = await readUser(t, (context) => context.json({ data: { x: 0 } }), "a/b?c d#%*'你")
  const call = asked.at(-1)
  assert.equal(call?.path, '/acme/helpdesk/users/a%2Fb%3Fc%20d%23%25%2A%27%E4%BD%A0/offline_msg_count')
  assert.deepEqual([call.method, call.headers.authorization], ['GET', 'Bearer YWMt1'])
})

test('counts take nothing from the calls for the history, and do not make it pause', async (t) => {
  const quiet = await readUser(t, (context) => context.json({ data: { x: 0 } }))
  assert.equal(quiet.taken(), 0)
  const probe = await provider(
    t,
    {
      unread: (context) => {
        context.header('retry-after', '3600')
        return refuse(context, 429, { error: 'reach_limit' })
      },
    },
    entry('alice'),
  )
  await assert.rejects(probe.source.unread!.read('alice', never), failsWith('transient', 'throttled'))
  assert.deepEqual([probe.taken(), probe.pauses], [0, []])
  assert.equal((await probe.read(hour)).state, 'published')
})

test('calls for counts keep a distance from one another, also those for a second try', async (t) => {
  const times: number[] = []
  let refused = false
  const { source, tokens } = await provider(
    t,
    {
      unread: (context) => {
        times.push(performance.now())
        if (refused) return context.json({ data: { x: 0 } })
        refused = true
        return refuse(context, 401, { error: 'unauthorized' })
      },
    },
    entry('alice', 'bob'),
  )
  await Promise.all([source.unread!.read('alice', never), source.unread!.read('bob', never)])
  assert.deepEqual([times.length, tokens()], [3, 2])
  // The first waits for a token behind its permission, so the distances on arrival differ; the sum is kept.
  const took = times.at(-1)! - times[0]!
  assert.ok(took >= 150, String(took))
})

test('during a pause nothing is asked, and the time left is told at once', async (t) => {
  const { source, asked } = await readThrottled(t, 3600)
  await assert.rejects(source.unread!.read('bob', AbortSignal.timeout(5000)), (error) => {
    const { retryAfterMs = 0 } = error as ChatfeedError
    assert.ok(retryAfterMs > 3_590_000 && retryAfterMs <= 3_600_000, String(retryAfterMs))
    return failsWith('transient', 'throttled')(error)
  })
  assert.equal(asked.length, 2)
})

test('a pause of a second is waited out', async (t) => {
  const { source, asked } = await readThrottled(t, 1)
  await assert.rejects(source.unread!.read('bob', never), failsWith('transient', 'throttled'))
  assert.equal(asked.length, 3)
})

test('a wait for a distance ends with the abort', async (t) => {
  const { source, asked } = await provider(t, {}, entry('alice'))
  const stop = new AbortController()
  await source.unread!.read('alice', never)
  const waiting = source.unread!.read('alice', stop.signal)
  stop.abort(new Error('shutting down'))
  await assert.rejects(waiting, /shutting down/)
  assert.equal(asked.length, 2)
})

test('an unknown user is named as such', async (t) => {
  const { reading } = await readUser(t, (context) =>
    refuse(context, 404, { error: 'service_resource_not_found', exception: 'UserNotFoundException' }),
  )
  assert.deepEqual(reading, { count: null, reason: 'there is no such user (404 service_resource_not_found)' })
})

test('an answer of another shape tells no count', async (t) => {
  const bodies = [
    '',
    '<html>',
    '{}',
    '{"count":3}',
    '{"data":null}',
    '{"data":[]}',
    '{"data":[1]}',
    '{"data":3}',
    '{"data":{}}',
    '{"data":{"alice":null}}',
    '{"data":{"alice":"many"}}',
    '{"data":{"alice":-1}}',
    '{"data":{"alice":1.5}}',
    '{"data":{"alice":1,"web":{}}}',
    '{"data":{"alice":99999999999999999999}}',
    '{"data":{"alice":1}',
    '{"error":"x","data":{"alice":1}}',
  ]
  for (const body of bodies) {
    const { reading } = await readUser(t, (context) => send(context, body))
    assert.equal(reading.count, null, body)
    assert.ok('reason' in reading && reading.reason)
  }
})

test('what is closed for counts alone is an answer; what concerns the source is thrown', async (t) => {
  const told: [number, Record<string, unknown>][] = [
    [401, { error: 'unauthorized', error_description: 'Subject does not have permission [users:get]' }],
    [403, { error: 'forbidden_service_operation' }],
    [429, { error: 'resource_limited' }],
    [404, {}],
    [500, {}],
  ]
  for (const [status, body] of told) {
    const { reading, pauses } = await readUser(t, (context) => refuse(context, status, body))
    assert.equal(reading.count, null, String(status))
    assert.deepEqual(pauses, [])
  }
  const thrown: [number, Record<string, unknown>, string, string][] = [
    [404, { error: 'organization_application_not_found' }, 'fatal', 'unknown_app'],
    [429, { error: 'reach_limit' }, 'transient', 'throttled'],
    [503, {}, 'transient', 'throttled'],
    [401, { error: 'unauthorized' }, 'fatal', 'unauthorized'],
  ]
  for (const [status, body, remedy, code] of thrown) {
    const failing = readUser(t, (context) => refuse(context, status, body))
    await assert.rejects(failing, failsWith(remedy, code), String(status))
  }
})

test('the sandbox knows its people, and nobody else', async (t) => {
  const sandbox = easemob.sandbox({ seed: 1, now: () => now, messagesPerHour: 10 })
  const url = await listen(t, sandbox.app)
  const { source } = openSource(t, { ...sandbox.sourceConfig(url), ...entry('lin.yue') }, () => now)
  const known = await source.unread!.read('lin.yue', never)
  assert.equal(typeof known.count, 'number')
  const unknown = await source.unread!.read(hour, never)
  assert.match('reason' in unknown ? unknown.reason : '', /no such user/)
})
