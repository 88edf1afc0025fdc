import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from 'hono'
import { LosslessNumber } from 'lossless-json'
import { ChatfeedError } from '../../../../../src/errors.ts'
import { lifeOf } from '../../../../../src/providers/easemob/rest/token.ts'
import { failsWith, hour, now, provider, refuse, send } from '../support.ts'

test('a life is in seconds, whatever its form', () => {
  const cases: [unknown, number][] = [
    [86_400, 86_400_000],
    ['1024000', 1_024_000_000],
    [5_184_000, 5_184_000_000],
    [0, Infinity],
    ['0', Infinity],
    // Of a cluster that counts in milliseconds.
    [5_184_000_000, 5_184_000_000],
    [new LosslessNumber('86400'), 86_400_000],
  ]
  for (const [expiresIn, ms] of cases) assert.equal(lifeOf(expiresIn), ms, String(expiresIn))
  for (const odd of [undefined, null, '', 'NaN', Number.NaN, -1, '-5', {}, [], true, 'soon']) {
    assert.equal(lifeOf(odd), 3_600_000, JSON.stringify(odd))
  }
})

test('a token of any life told is used, and not asked for at every call', async (t) => {
  for (const life of ['1024000', 0, -1, null, 1, 5_184_000_000, 'NaN']) {
    const { read, tokens } = await provider(t, {
      token: (context) => context.json({ access_token: 'YWMt', expires_in: life }),
    })
    for (let call = 0; call < 3; call++) assert.equal((await read(hour)).state, 'published')
    assert.equal(tokens(), 1, String(life))
  }
})

test('a token that dies early is renewed when it is refused, as often as that happens', async (t) => {
  let good = 1
  const { read, tokens } = await provider(t, {
    history: (context) =>
      context.req.header('authorization') === `Bearer YWMt${good}`
        ? refuse(context, 404, { error: 'storage_object_not_found' })
        : refuse(context, 401, { error: 'unauthorized' }),
  })
  for (; good < 5; good++) assert.equal((await read(hour)).state, 'empty')
  assert.equal(tokens(), 4)
})

test('a token is taken after the permission, which can take long', async (t) => {
  let at = now
  const { read, tokens, budget } = await provider(
    t,
    { token: (context) => context.json({ access_token: 'YWMt', expires_in: 1000 }) },
    {},
    () => at,
  )
  await read(hour)
  budget.onTake = () => (at += 999_000)
  await read(hour)
  assert.equal(tokens(), 2)
})

test('a gateway that refuses without a word does not end the source', async (t) => {
  for (const body of ['', '<html>401</html>']) {
    const { read, tokens } = await provider(t, { history: (context) => context.body(body, 401) })
    assert.deepEqual(await read(hour), { state: 'failed', reason: 'the token is not accepted (401)' })
    assert.equal(tokens(), 2)
  }
})

test('whatever the token endpoint says, it is a stop or a later try, never a crash', async (t) => {
  const cases: [name: string, answer: (context: Context) => Response, remedy: string, code: string][] = [
    ['200 without a token', (context) => context.json({ expires_in: 1 }), 'transient', 'no_token'],
    ['200 with an empty token', (context) => context.json({ access_token: '' }), 'transient', 'no_token'],
    [
      '200 with a token of another type',
      (context) => context.json({ access_token: 7 }),
      'transient',
      'no_token',
    ],
    [
      '200 with a token of two lines',
      (context) => context.json({ access_token: 'a\r\nb: c' }),
      'transient',
      'no_token',
    ],
    ['200 with a page', (context) => context.html('<h1>hi</h1>'), 'transient', 'no_token'],
    ['200 with half an answer', (context) => send(context, '{"access_token":"YW'), 'transient', 'no_token'],
    [
      '200 with an error',
      (context) => context.json({ error: 'x', access_token: 'y' }),
      'transient',
      'no_token',
    ],
    ['400 with a page', (context) => context.html('bad', 400), 'transient', 'no_token'],
    ['400', (context) => refuse(context, 400, { error: 'invalid_grant' }), 'fatal', 'credentials'],
    ['401', (context) => refuse(context, 401, { error: 'unauthorized' }), 'fatal', 'credentials'],
    [
      '401 of the other service',
      (context) => refuse(context, 401, { desc: 'unauthorized' }),
      'fatal',
      'credentials',
    ],
    ['401 without a word', (context) => context.body('', 401), 'transient', 'no_token'],
    [
      '404',
      (context) => refuse(context, 404, { error: 'organization_application_not_found' }),
      'fatal',
      'unknown_app',
    ],
    ['401 with a page', (context) => context.html('no', 401), 'transient', 'no_token'],
    ['404 with a page', (context) => context.html('no', 404), 'transient', 'no_token'],
    ['429', (context) => refuse(context, 429, { error: 'reach_limit' }), 'transient', 'throttled'],
    ['500', (context) => refuse(context, 500, { error: 'web_application' }), 'transient', 'no_token'],
    ['503', (context) => context.html('busy', 503), 'transient', 'throttled'],
  ]
  for (const [name, token, remedy, code] of cases) {
    const { read } = await provider(t, { token })
    await assert.rejects(read(hour), failsWith(remedy, code), name)
  }
})

test('an answer without a token is told by what it is, with what to do', async (t) => {
  const cases: [(context: Context) => Response, RegExp][] = [
    [(context) => context.json({ expires_in: 1 }), /: the answer holds none \(200\)\.$/],
    [(context) => context.json({ access_token: 'a b' }), /: the answer holds none \(200\)\.$/],
    [
      (context) => context.html('<h1>Log in</h1>'),
      /: the answer is no JSON, but perhaps a web page \(200\)\.$/,
    ],
    [(context) => context.html('<h1>bad</h1>', 502), /: unexpected answer \(502\)\.$/],
    [(context) => context.json({ error: 'x' }), /: an error in an answer of success \(200 x\)\.$/],
    [(context) => refuse(context, 401, { desc: 'unauthorized' }), /not accepted \(401\)\.$/],
    [(context) => refuse(context, 401, { desc: 'client_secret does not match' }), /not accepted \(401\)\.$/],
  ]
  for (const [token, words] of cases) {
    const { read } = await provider(t, { token })
    await assert.rejects(read(hour), (error) => {
      assert.ok(error instanceof ChatfeedError)
      assert.match(error.message, words)
      assert.match(error.mend ?? '', /baseUrl|clientId/)
      return true
    })
  }
})

test('a date in Retry-After is waited for', async (t) => {
  const { read, pauses } = await provider(t, {
    history: (context) => {
      context.header('date', 'Mon, 23 Nov 2026 06:00:00 GMT')
      context.header('retry-after', 'Mon, 23 Nov 2026 06:00:42 GMT')
      return refuse(context, 429, { error: 'reach_limit' })
    },
  })
  await assert.rejects(read(hour), (error) => (error as { retryAfterMs?: number }).retryAfterMs === 42_000)
  assert.deepEqual(pauses, [42_000])
})
