import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { ChatfeedError } from '../../../../../src/errors.ts'
import { Client } from '../../../../../src/providers/polyv/client/client.ts'
import { signatureOf } from '../../../../../src/providers/polyv/client/signature.ts'
import { listen, makeContext, morningMs } from '../harness.ts'

interface Script {
  status: number
  body: unknown
  date?: string
  headers?: Record<string, string>
  /** The clock goes on by this much while the service answers. */
  tookMs?: number
}

const credentials = { appId: 'app1', appSecret: 'very-secret-indeed' }
const ok: Script = { status: 200, body: { code: 200, status: 'success', message: '', data: [] } }
const failed = (code: number, message: string): Script => ({
  status: code,
  body: { code, status: 'error', message, data: '' },
})
const html = (status: number): Script => ({ status, body: '<html>gateway</html>' })

/** A service that answers by a script, the last line again and again; keeps the queries it was asked. */
async function scripted(t: TestContext, ...script: Script[]) {
  const queries: Record<string, string>[] = []
  const encodings: (string | null)[] = []
  const { context, clock, seen } = makeContext(morningMs)
  const baseUrl = await listen(t, (request) => {
    const next = script[Math.min(queries.length, script.length - 1)] ?? ok
    queries.push(Object.fromEntries(new URL(request.url).searchParams))
    encodings.push(request.headers.get('accept-encoding'))
    clock.nowMs += next.tookMs ?? 0
    const text = typeof next.body === 'string' ? next.body : JSON.stringify(next.body)
    const body = Buffer.isBuffer(next.body) ? new Uint8Array(next.body) : text
    const date = next.date ?? new Date(morningMs).toUTCString()
    return new Response(body, { status: next.status, headers: { date, ...next.headers } })
  })
  const client = new Client(baseUrl, credentials, context)
  t.after(() => client.close())
  const get = () =>
    client.ask(
      { method: 'GET', path: '/live/v2/chat/1/getHistory', params: { page: 1, source: null } },
      new AbortController().signal,
    )
  return { get, queries, seen, client, encodings }
}

const thrownBy = async (promise: Promise<unknown>): Promise<ChatfeedError> => {
  const error: unknown = await promise.then(
    () => assert.fail('nothing was thrown'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ChatfeedError)
  return error
}

test('a call is signed over what is sent and counted', async (t) => {
  const { get, queries, seen } = await scripted(t, ok)
  assert.ok(Buffer.isBuffer(await get()))
  const { sign, ...sent } = queries[0] ?? {}
  assert.deepEqual(sent, { appId: 'app1', page: '1', timestamp: String(morningMs) })
  assert.equal(sign, signatureOf(sent, credentials.appSecret))
  assert.deepEqual([seen.taken, seen.outcomes], [1, ['ok']])
})

test('a fault that passes is tried again, signed anew, each time with leave of the budget', async (t) => {
  const script = [html(502), failed(500, 'api error.'), ok].map((answer) => ({ ...answer, tookMs: 700 }))
  const { get, seen, queries } = await scripted(t, ...script)
  assert.ok(Buffer.isBuffer(await get()))
  assert.deepEqual(seen.outcomes, ['gateway', 'server_error', 'ok'])
  assert.equal(seen.taken, 3)
  assert.deepEqual(
    queries.map(({ timestamp }) => Number(timestamp) - morningMs),
    [0, 700, 1400],
  )
  for (const { sign, ...sent } of queries) assert.equal(sign, signatureOf(sent, credentials.appSecret))
})

test('a fault that stays is thrown as transient', async (t) => {
  const { get, queries } = await scripted(t, html(502))
  const error = await thrownBy(get())
  assert.deepEqual([error.remedy, error.code, queries.length], ['transient', 'gateway', 3])
})

test('a fault that Polyv itself reports and that stays refuses the call alone', async (t) => {
  const trouble = failed(500, 'api error.')
  const { get, queries, seen } = await scripted(t, trouble, trouble, trouble, trouble, trouble, ok, trouble)
  const refusal = await get()
  assert.ok(!Buffer.isBuffer(refusal))
  assert.deepEqual([refusal.code, refusal.retryAfterMs, queries.length], ['server_error', undefined, 3])
  assert.deepEqual(seen.pausesMs, [])
  await get()
  assert.equal(queries.length, 4, 'the next call is spared the waits while the trouble lasts')
  await get()
  await get()
  assert.equal(queries.length, 6)
  await get()
  assert.equal(queries.length, 9, 'after a good answer they are made again')
})

test('a fault that does not come in Polyv’s own frame stays a fault of the way there', async (t) => {
  const { get, queries } = await scripted(t, {
    status: 500,
    body: { timestamp: 1, status: 500, error: 'Internal Server Error', path: '/x' },
  })
  const error = await thrownBy(get())
  assert.deepEqual([error.remedy, queries.length], ['transient', 3])
})

test('a wrong secret or appId is fatal at once, although the HTTP status is 400 or 403', async (t) => {
  for (const [answer, code] of [
    [failed(403, 'invalid signature.'), 'wrong_secret'],
    [failed(400, 'application not found.'), 'wrong_app'],
  ] as const) {
    const { get, queries } = await scripted(t, answer)
    const error = await thrownBy(get())
    assert.deepEqual([error.remedy, error.code, queries.length], ['fatal', code, 1])
    assert.match(error.mend ?? '', /console/)
  }
})

test('a refused call is an answer, with the mend', async (t) => {
  const { get, queries } = await scripted(t, failed(400, 'channel not found.'))
  const refusal = await get()
  assert.ok(!Buffer.isBuffer(refusal))
  assert.equal(refusal.code, 'channel_gone')
  assert.match(refusal.reason, /no such channel.*channel not found/)
  assert.match(refusal.mend ?? '', /Correct the number/)
  assert.equal(refusal.retryAfterMs, 600_000)
  assert.equal(queries.length, 1)
})

test('throttling closes the budget for five minutes and is not tried again', async (t) => {
  const { get, seen, queries } = await scripted(t, failed(400, 'qps exceeds number of calls'))
  const error = await thrownBy(get())
  assert.deepEqual([error.remedy, error.code, error.retryAfterMs], ['transient', 'throttled', 300_000])
  assert.deepEqual([seen.pausesMs, queries.length], [[300_000], 1])
})

test('a clock that is off is set right by the service’s Date, once, with a warning', async (t) => {
  const serviceMs = morningMs + 10 * 60_000
  const tooOld = { ...failed(400, 'ptime is too old.'), date: new Date(serviceMs).toUTCString() }
  const { get, queries, seen } = await scripted(t, tooOld, ok)
  assert.ok(Buffer.isBuffer(await get()))
  assert.ok(Buffer.isBuffer(await get()))
  assert.deepEqual(
    queries.map(({ timestamp }) => Number(timestamp) - morningMs),
    [0, 600_000, 600_000],
  )
  assert.match(seen.log, /"aheadSeconds":600/)
  assert.equal(seen.log.split('clock of this machine').length, 2)
})

test('a secret that the service repeats in its words is not passed on', async (t) => {
  const { get } = await scripted(
    t,
    failed(403, `invalid signature. secret ${credentials.appSecret} was used`),
  )
  const error = await thrownBy(get())
  assert.equal(error.code, 'wrong_secret')
  assert.ok(!error.message.includes(credentials.appSecret))
})

test('front ends whose clocks differ are not followed in turn for ever', async (t) => {
  const at = (ms: number): Script => ({
    ...failed(400, 'invalid timestamp.'),
    date: new Date(morningMs + ms).toUTCString(),
  })
  const { get, queries } = await scripted(t, at(600_000), at(-600_000), at(600_000), at(-600_000), ok)
  const error = await thrownBy(get())
  assert.deepEqual([error.remedy, error.code, queries.length], ['transient', 'clock', 2])
})

test('a refused timestamp that the service’s Date does not explain is an error that names the clock', async (t) => {
  for (const date of [new Date(morningMs).toUTCString(), 'no date']) {
    const { get, queries } = await scripted(t, { ...failed(400, 'invalid timestamp.'), date })
    const error = await thrownBy(get())
    assert.deepEqual([error.remedy, error.code, queries.length], ['transient', 'clock', 1])
    assert.match(`${error.message} ${error.mend}`, /clock/)
  }
})

test('a service that is not there is transient, and the error holds no address', async (t) => {
  const { context } = makeContext(morningMs)
  const client = new Client('http://127.0.0.1:1', credentials, context)
  t.after(() => client.close())
  const error = await thrownBy(
    client.ask({ method: 'GET', path: '/x', params: {} }, new AbortController().signal),
  )
  assert.deepEqual([error.remedy, error.code], ['transient', 'unreachable'])
  assert.match(error.message, /ECONNREFUSED/)
})

test('an abort ends the call soon, also while it waits', async (t) => {
  const baseUrl = await listen(
    t,
    () => new Promise<Response>((resolve) => setTimeout(resolve, 2_000, new Response(''))),
  )
  const { context } = makeContext(morningMs)
  const client = new Client(baseUrl, credentials, context)
  t.after(() => client.close())
  const startedMs = Date.now()
  const error = await thrownBy(client.ask({ method: 'GET', path: '/x', params: {} }, AbortSignal.timeout(50)))
  assert.deepEqual([error.remedy, error.code], ['transient', 'stopped'])
  assert.ok(Date.now() - startedMs < 1_500)
})

test('neither secret nor signature reaches an error or the log', async (t) => {
  const scripts = [
    failed(403, 'invalid signature.'),
    { ...failed(400, 'ptime is too old.'), date: new Date(morningMs + 3_600_000).toUTCString() },
    html(502),
  ]
  for (const answer of scripts) {
    const { get, queries, seen } = await scripted(t, answer)
    const error = await thrownBy(get())
    const told = JSON.stringify([error.message, error.mend, error.stack, error.cause]) + seen.log
    for (const { sign } of queries) assert.ok(sign && !told.includes(sign))
    assert.ok(!told.includes(credentials.appSecret))
  }
})

test('a waiting time that the service names is kept, in seconds or as a date of its own clock', async (t) => {
  const late = new Date(morningMs + 3_600_000)
  const cases: [answer: Script, retryAfter: string, waitMs: number][] = [
    [failed(400, 'qps exceeds number of calls'), '30', 30_000],
    [html(429), '45', 45_000],
    [failed(400, 'qps exceeds number of calls'), '0', 300_000],
    [failed(400, 'qps exceeds number of calls'), 'soon', 300_000],
    [failed(500, 'api error.'), '12', 12_000],
    [html(503), '999999', 3_600_000],
    [{ ...html(503), date: late.toUTCString() }, new Date(late.getTime() + 90_000).toUTCString(), 90_000],
  ]
  for (const [answer, retryAfter, waitMs] of cases) {
    const { get, seen, queries } = await scripted(t, { ...answer, headers: { 'retry-after': retryAfter } })
    const error = await thrownBy(get())
    assert.deepEqual([error.remedy, error.retryAfterMs], ['transient', waitMs], retryAfter)
    assert.deepEqual([seen.pausesMs, queries.length], [[waitMs], 1], 'nobody asks until then')
  }
})

test('a short waiting time is waited here', async (t) => {
  const { get, seen, queries } = await scripted(t, { ...html(503), headers: { 'retry-after': '1' } }, ok)
  const startedMs = performance.now()
  assert.ok(Buffer.isBuffer(await get()))
  assert.ok(performance.now() - startedMs > 900)
  assert.deepEqual([seen.pausesMs, queries.length], [[], 2])
})

test('redirects are not followed, whatever the method; the error names the host and nothing signed', async (t) => {
  let followed = 0
  const elsewhere = await listen(t, () => {
    followed++
    return Response.json(ok.body)
  })
  for (const status of [301, 302, 303, 307, 308]) {
    const headers = {
      location: `${elsewhere}/live/v2/chat/1/getHistory?sign=A8B6262C1A3B14DA0B2C6DDE6CE5D622`,
    }
    const { client, get } = await scripted(t, { ...ok, status, headers })
    const post = () => client.ask({ method: 'POST', path: '/x', params: {} }, new AbortController().signal)
    for (const call of [get, post]) {
      const error = await thrownBy(call())
      assert.deepEqual([error.remedy, error.code], ['transient', 'redirected'])
      assert.ok(error.message.includes(elsewhere) && !error.message.includes('A8B6'))
      assert.match(error.mend ?? '', /https/)
    }
  }
  assert.equal(followed, 0)
})

test('no encoding is asked for, and any that comes is undone', async (t) => {
  const text = Buffer.from(JSON.stringify(ok.body))
  const cases: [encoding: string | undefined, body: Buffer][] = [
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    [undefined, gzipSync(text)],
    ['gzip', text],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['identity', text],
    ['br, gzip', gzipSync(brotliCompressSync(text))],
  ]
  for (const [encoding, body] of cases) {
    const headers: Record<string, string> = encoding === undefined ? {} : { 'content-encoding': encoding }
    const { get, encodings } = await scripted(t, { status: 200, body, headers })
    assert.deepEqual(await get(), text, encoding)
    assert.deepEqual(encodings, ['identity'])
  }
})

test('an answer whose encoding cannot be undone is a passing fault, never an empty page', async (t) => {
  const gzip = gzipSync(JSON.stringify(ok.body))
  for (const [encoding, body] of [
    ['gzip', gzip.subarray(0, 20)],
    ['br', Buffer.from('no brotli')],
    ['zstd', gzip],
  ] as const) {
    const { get } = await scripted(t, { status: 200, body, headers: { 'content-encoding': encoding } })
    const error = await thrownBy(get())
    assert.deepEqual([error.remedy, error.code], ['transient', 'answer_damaged'], encoding)
  }
})

test('an answer that inflates beyond all measure is refused', async (t) => {
  const { get } = await scripted(t, { status: 200, body: gzipSync(Buffer.alloc(65 * 1024 * 1024)) })
  const refusal = await get()
  assert.ok(!Buffer.isBuffer(refusal))
  assert.equal(refusal.code, 'answer_too_large')
})

test('how far the clocks are apart is known from any answer', async (t) => {
  const { get, client } = await scripted(t, { ...ok, date: new Date(morningMs - 90_000).toUTCString() })
  assert.equal(client.aheadMs, null)
  await get()
  assert.equal(client.aheadMs, -90_000)
})
