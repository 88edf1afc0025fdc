import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { HttpBindings } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { ChatfeedError } from '../../../../../src/errors.ts'
import type { Publish } from '../../../../../src/providers/provider.ts'
import {
  failsWith,
  hour,
  hourMs,
  line,
  links,
  listen,
  now,
  openSource,
  provider,
  refuse,
  send,
} from '../support.ts'

/** 你好 */
const gbk = Buffer.from([0xc4, 0xe3, 0xba, 0xc3])

test('units are the hours of the zone from since to now, as far as the provider keeps them', async (t) => {
  const at = Date.parse('2026-11-23T13:20:00+08:00')
  const names = async (entry: Record<string, unknown>) => {
    const { source } = openSource(t, { baseUrl: 'http://127.0.0.1:1', ...entry })
    return (await source.units(at, new Map(), new AbortController().signal)).map(({ name }) => name)
  }
  assert.deepEqual(await names({ since: '2h' }), ['2026112311', '2026112312', '2026112313'])
  assert.deepEqual(await names({ since: '2026-11-23T12:59:59+08:00' }), ['2026112312', '2026112313'])
  assert.deepEqual(await names({ since: '2h', timeZone: 'Z' }), ['2026112303', '2026112304', '2026112305'])
  const all = await names({ since: '2020-01-01' })
  assert.deepEqual([all.length, all[0], all.at(-1)], [73, '2026112013', '2026112313'])
  assert.deepEqual(await names({ since: '2030-01-01' }), [])
})

test('a unit is due once its file has settled and is gone after the retention', async (t) => {
  const { source } = openSource(t, {
    baseUrl: 'http://127.0.0.1:1',
    since: '1h',
    settle: '30m',
    retention: '48h',
  })
  const [unit] = await source.units(now, new Map(), new AbortController().signal)
  const end = Date.parse('2026-11-23T13:00:00+08:00')
  assert.deepEqual(unit, {
    name: '2026112312',
    opensAt: end + hourMs / 2,
    closesAt: end + hourMs / 2,
    pollEveryMs: null,
    lookAgainMs: [6 * hourMs, 24 * hourMs],
    deadline: end + 48 * hourMs,
  })
})

test('an hour is asked for with the token and its file without', async (t) => {
  const query = '?Expires=1543316122&OSSAccessKeyId=LTAI&Signature=2oQ%2FWd%2b8%3D&x=%E4%BD%A0~!*()%27'
  const { read, asked, records, outcomes, taken } = await provider(t, {
    history: (context, base) => links(context, `${base}/history/3D/acme/helpdesk/${hour}.gz${query}`),
    file: (context) => send(context, gzipSync(`${line(1)}\n${line(2)}`)),
  })
  const reading = await read(hour)
  assert.equal(reading.state, 'published')
  assert.deepEqual(
    records.map(({ position, messageId }) => [position, messageId]),
    [
      [1, '1'],
      [2, '2'],
    ],
  )
  const [, history, file] = asked
  assert.equal(history?.path, `/acme/helpdesk/chatmessages/${hour}`)
  assert.equal(history.headers.authorization, 'Bearer YWMt1')
  assert.equal(file?.path, `/history/3D/acme/helpdesk/${hour}.gz${query}`)
  assert.equal(file.headers.authorization, undefined)
  assert.deepEqual(outcomes, ['token_ready', 'ready', 'file'])
  assert.equal(taken(), 1)
})

test('a redirected link is followed, still without the token', async (t) => {
  const { read, asked } = await provider(t, {
    file: (context) =>
      context.req.path === '/file'
        ? context.redirect('/elsewhere?a=%2F', 302)
        : send(context, gzipSync(line(1))),
  })
  assert.equal((await read(hour)).state, 'published')
  assert.deepEqual(
    asked.slice(2).map(({ path, headers }) => [path, headers.authorization]),
    [
      ['/file', undefined],
      ['/elsewhere?a=%2F', undefined],
    ],
  )
})

test('a link that leads in circles is a failed reading', async (t) => {
  const { read } = await provider(t, { file: (context) => context.redirect('/file', 302) })
  assert.equal((await read(hour)).state, 'failed')
})

test('several files are one hour with positions through all of them', async (t) => {
  const { read, records } = await provider(t, {
    history: (context, base) => links(context, `${base}/a`, `${base}/b`),
    file: (context) =>
      send(context, Buffer.from(context.req.path === '/a' ? `${line(1)}\n${line(2)}` : line(3))),
  })
  const reading = await read(hour)
  assert.deepEqual(
    records.map(({ position, messageId }) => [position, messageId]),
    [
      [1, '1'],
      [2, '2'],
      [3, '3'],
    ],
  )
  assert.equal(reading.state === 'published' && reading.lines, 3)
})

test('links as one object are understood, no links are an empty hour', async (t) => {
  const one = await provider(t, {
    history: (context, base) => context.json({ data: { url: `${base}/file` } }),
  })
  assert.equal((await one.read(hour)).state, 'published')
  const none = await provider(t, { history: (context) => links(context) })
  assert.equal((await none.read(hour)).state, 'empty')
})

test('files without a record are a failed reading, unless another of the hour has one', async (t) => {
  const nothing = ['\n', gzipSync(''), gzipSync('\n'), gzipSync('   \n\n')]
  for (const file of nothing) {
    const { read } = await provider(t, {
      history: (context, base) => links(context, `${base}/a`, `${base}/b`),
      file: (context) => send(context, file),
    })
    const reading = await read(hour)
    assert.deepEqual(reading, { state: 'failed', reason: 'the history file holds no record' })
  }
  const { read } = await provider(t, {
    history: (context, base) => links(context, `${base}/a`, `${base}/b`, `${base}/c`),
    file: (context) => send(context, gzipSync(context.req.path === '/b' ? line(1) : '')),
  })
  const reading = await read(hour)
  assert.equal(reading.state === 'published' && reading.lines, 1)
})

test('a file that trickles for 30 minutes is a failed reading', async (t) => {
  const { setTimeout } = globalThis
  t.mock.method(globalThis, 'setTimeout', (call: () => void, ms?: number) =>
    setTimeout(call, ms === 30 * 60_000 ? 50 : ms),
  )
  const text = Buffer.from(`${line(1)}\n${line(2)}\n`)
  for (const start of [text, gzipSync(text)]) {
    const { read, records } = await provider(t, {
      file: (context) => {
        const body = new ReadableStream({
          start: (controller) => {
            controller.enqueue(start)
          },
        })
        return context.body(body)
      },
    })
    const reading = await read(hour, { signal: AbortSignal.timeout(5000) })
    assert.match(reading.state === 'failed' ? reading.reason : '', /not complete after 30 minutes/)
    assert.equal(records.length, 2)
  }
})

test('an answer that names no files is a failed reading', async (t) => {
  const answers: ((context: Context) => Response)[] = [
    (context) => context.html('<html>welcome</html>'),
    (context) => context.json({ data: 'soon' }),
    (context) => context.json({ data: [{ link: 'x' }] }),
    (context) => context.json([]),
    (context) => links(context, 'not a link'),
    (context) => links(context, 'ftp://127.0.0.1/file'),
  ]
  for (const history of answers)
    assert.equal((await (await provider(t, { history })).read(hour)).state, 'failed')
})

test('gz is told by its bytes, whatever the headers say', async (t) => {
  const plain = Buffer.from(line(1))
  const cases: [Buffer, Record<string, string>][] = [
    [gzipSync(plain), { 'content-encoding': 'gzip', 'content-type': 'text/html' }],
    [gzipSync(plain), { 'content-type': 'application/json' }],
    [plain, { 'content-type': 'application/gzip' }],
  ]
  for (const [bytes, headers] of cases) {
    const { read, records } = await provider(t, { file: (context) => send(context, bytes, headers) })
    assert.equal((await read(hour)).state, 'published')
    assert.deepEqual(records[0]?.payload, plain)
  }
})

test('a file that is cut short, empty or a page is a failed reading, never an hour', async (t) => {
  const gz = gzipSync(`${line(1)}\n${line(2)}`)
  const files: Record<string, (context: Context) => Response> = {
    'cut gz': (context) => send(context, gz.subarray(0, -4)),
    'shorter than declared': (context) => {
      const { incoming } = context.env as HttpBindings
      const body = new ReadableStream({
        start: (controller) => {
          controller.enqueue(Buffer.from(`${line(1)}\n`))
        },
        pull: () => {
          incoming.socket.destroy()
        },
      })
      return new Response(body, { headers: { 'content-length': '100000' } })
    },
    empty: (context) => send(context, Buffer.alloc(0)),
    page: (context) => context.html('<html>Bad gateway</html>'),
  }
  for (const [name, file] of Object.entries(files)) {
    const { read } = await provider(t, { file })
    const reading = await read(hour)
    assert.equal(reading.state, 'failed', name)
  }
})

test('an expired link is asked for again, and the reading goes on where it was', async (t) => {
  let asks = 0
  const { read, records, taken } = await provider(t, {
    history: (context, base) => {
      asks++
      return links(context, `${base}/a?n=${asks}`, `${base}/b?n=${asks}`)
    },
    file: (context) => {
      if (context.req.path === '/a') return send(context, Buffer.from(line(1)))
      if (context.req.query('n') === '1') return context.text('<Error><Code>AccessDenied</Code></Error>', 403)
      return send(context, Buffer.from(line(2)))
    },
  })
  assert.equal((await read(hour)).state, 'published')
  assert.deepEqual(
    records.map(({ position, messageId }) => [position, messageId]),
    [
      [1, '1'],
      [2, '2'],
    ],
  )
  assert.equal(taken(), 2)
})

test('a link that stays refused is a failed reading after one more question', async (t) => {
  const { read, taken } = await provider(t, { file: (context) => context.text('no', 403) })
  assert.equal((await read(hour)).state, 'failed')
  assert.equal(taken(), 2)
})

test('answers about the hour become its state', async (t) => {
  const unstored =
    'Illegal arguments: appkey: acme#helpdesk, time: x, maybe chat message history is expired or unstored'
  const young = await provider(t, {
    history: (context) => refuse(context, 400, { error: 'illegal_argument', error_description: unstored }),
  })
  assert.deepEqual(await young.read(hour), {
    state: 'not_yet',
    reason: 'the file is not made yet (400 illegal_argument)',
    retryAfterMs: 600_000,
  })
  assert.equal((await young.read('2026112010')).state, 'lost')
  const empty = await provider(t, {
    history: (context) => refuse(context, 404, { error: 'storage_object_not_found' }),
  })
  assert.equal((await empty.read(hour)).state, 'empty')
  const page = await provider(t, { history: (context) => context.html('<h1>404 Not Found</h1>', 404) })
  assert.equal((await page.read(hour)).state, 'failed')
})

test('a unit of another kind is a failed reading without a call', async (t) => {
  const { read, asked } = await provider(t, {})
  assert.equal((await read('import/old.gz')).state, 'failed')
  assert.deepEqual(asked, [])
})

test('throttling pauses everybody and is transient', async (t) => {
  const limited = await provider(t, { history: (context) => refuse(context, 429, { error: 'reach_limit' }) })
  await assert.rejects(limited.read(hour), failsWith('transient', 'throttled'))
  assert.deepEqual(limited.pauses, [60_000])
  const busy = await provider(t, {
    history: (context) => {
      context.header('retry-after', '7')
      return context.html('busy', 503)
    },
  })
  await assert.rejects(busy.read(hour), failsWith('transient', 'throttled'))
  assert.deepEqual(busy.pauses, [7000])
})

test('whatever is wrong with the request for one hour, the source goes on with the others', async (t) => {
  const bodies = [
    { error: 'illegal_argument' },
    {
      error: 'illegal_argument',
      error_description: `illegal arguments: appkey: acme#helpdesk, time: ${hour}`,
    },
    { error: 'illegal_argument', error_description: 'This chatmessage request is not supported' },
    { error: 'invalid_parameter', error_description: 'x' },
    {},
  ]
  for (const body of bodies) {
    const { read } = await provider(t, {
      history: (context, base) =>
        context.req.path.endsWith(hour) ? refuse(context, 400, body) : links(context, `${base}/file`),
    })
    const reading = await read(hour)
    assert.equal(reading.state, 'failed', JSON.stringify(body))
    assert.ok(reading.state === 'failed' && reading.retryAfterMs)
    assert.equal((await read('2026112309')).state, 'published')
  }
})

test('a refused token is renewed once', async (t) => {
  const { read, tokens } = await provider(t, {
    history: (context, base) =>
      context.req.header('authorization') === 'Bearer YWMt1'
        ? context.json({ timestamp: 1, desc: 'unauthorized', duration: 0 }, 401)
        : links(context, `${base}/file`),
  })
  assert.equal((await read(hour)).state, 'published')
  assert.equal(tokens(), 2)
  assert.equal((await read(hour)).state, 'published')
  assert.equal(tokens(), 2)
})

test('calls that are refused at once share one renewal', async (t) => {
  let waiting = 0
  let release: (() => void) | undefined
  const all = new Promise<void>((resolve) => (release = resolve))
  const { read, tokens } = await provider(t, {
    history: async (context, base) => {
      if (context.req.header('authorization') !== 'Bearer YWMt1') return links(context, `${base}/file`)
      if (++waiting === 5) release?.()
      await all
      return refuse(context, 401, { error: 'unauthorized' })
    },
  })
  const readings = await Promise.all(Array.from({ length: 5 }, () => read(hour)))
  assert.ok(readings.every(({ state }) => state === 'published'))
  assert.equal(tokens(), 2)
})

test('a fresh token that is refused too stops the source', async (t) => {
  const { read, tokens } = await provider(t, {
    history: (context) => refuse(context, 401, { error: 'unauthorized' }),
  })
  await assert.rejects(read(hour), failsWith('fatal', 'unauthorized'))
  assert.equal(tokens(), 2)
})

test("a gateway's refusal fails the hour and ends nothing, though it is in JSON", async (t) => {
  const page = { status: 403, error: 'Forbidden', path: '/x' }
  const refusals: [number, Record<string, unknown>][] = [
    [401, { message: 'Unauthorized' }],
    [401, { error: '', desc: null, message: 'no credentials found' }],
    [403, page],
    [403, { error: 'Forbidden by policy' }],
  ]
  for (const [status, body] of refusals) {
    for (const mode of ['files', 'pull']) {
      const refused = (context: Context) => refuse(context, status, body)
      const { read, tokens } = await provider(t, { history: refused, pull: refused }, { mode })
      assert.equal((await read(hour)).state, 'failed', JSON.stringify(body))
      assert.equal(tokens(), status === 401 ? 2 : 1)
    }
    const { read } = await provider(t, { token: (context) => refuse(context, status, body) })
    await assert.rejects(read(hour), failsWith('transient', 'no_token'))
  }
})

test("a second refusal in the service's own form stops the source, by text as by word", async (t) => {
  for (const body of [{ desc: 'unauthorized' }, { error_description: 'Unable to authenticate' }]) {
    const { read } = await provider(t, { history: (context) => refuse(context, 401, body) })
    await assert.rejects(read(hour), failsWith('fatal', 'unauthorized'))
  }
})

test('a token without the right is not renewed', async (t) => {
  const text = 'Subject does not have permission [applications:get:0:/chatmessages]'
  const { read, tokens } = await provider(t, {
    history: (context) => refuse(context, 401, { error: 'unauthorized', error_description: text }),
  })
  await assert.rejects(read(hour), failsWith('fatal', 'no_right'))
  assert.equal(tokens(), 1)
})

test('a token is renewed before its end and kept for ever when it has none', async (t) => {
  let life = 1000
  const app = new Hono()
  let tokens = 0
  app.post('/acme/helpdesk/token', (context) =>
    context.json({ access_token: `t${++tokens}`, expires_in: life }),
  )
  app.get('/*', (context) => refuse(context, 404, { error: 'storage_object_not_found' }))
  const baseUrl = await listen(t, app)
  let at = now
  const { read } = openSource(t, { baseUrl }, () => at)
  await read(hour)
  at += 899_000
  await read(hour)
  assert.equal(tokens, 1)
  at += 2000
  life = 0
  await read(hour)
  assert.equal(tokens, 2)
  at += 40 * 24 * hourMs
  await read(hour)
  assert.equal(tokens, 2)
})

test('wrong credentials and unknown apps stop the source with a mend and without the secret', async (t) => {
  const answers: [string, (context: Context) => Response][] = [
    [
      'credentials',
      (context) =>
        refuse(context, 400, { error: 'invalid_grant', error_description: 'client_secret does not match' }),
    ],
    ['unknown_app', (context) => refuse(context, 404, { error: 'organization_application_not_found' })],
    ['barred', (context) => refuse(context, 403, { error: 'forbidden_op' })],
  ]
  for (const [code, token] of answers) {
    const { read } = await provider(t, { token })
    await assert.rejects(read(hour), (error) => {
      assert.ok(failsWith('fatal', code)(error))
      const told = JSON.stringify(error) + (error as Error).message
      assert.ok((error as ChatfeedError).mend)
      assert.doesNotMatch(told, /client-secret/)
      return true
    })
  }
})

test('a token that cannot be had now is transient, and the next reading asks again', async (t) => {
  let broken = true
  const { read } = await provider(t, {
    token: (context) =>
      broken ? context.html('oops', 500) : context.json({ access_token: 'YWMt', expires_in: 1 }),
  })
  await assert.rejects(read(hour), failsWith('transient', 'no_token'))
  broken = false
  assert.equal((await read(hour)).state, 'published')
})

test('a host that does not answer is transient', async (t) => {
  const { read, outcomes } = openSource(t, { baseUrl: 'http://127.0.0.1:1' }, () => now)
  await assert.rejects(read(hour), failsWith('transient', 'unreachable'))
  assert.deepEqual(outcomes, ['unreachable'])
  const dead = await provider(t, {
    history: (context) => links(context, 'http://127.0.0.1:1/secret-path?Signature=s3cr3t'),
  })
  await assert.rejects(dead.read(hour), (error) => {
    assert.ok(failsWith('transient', 'unreachable')(error))
    assert.doesNotMatch((error as Error).message, /secret-path|s3cr3t/)
    return true
  })
})

test('what the publisher throws ends the reading unchanged', async (t) => {
  const { read } = await provider(t, {})
  const publish: Publish = () =>
    Promise.reject(new ChatfeedError('transient', 'broker_gone', 'The broker is gone.'))
  await assert.rejects(read(hour, { publish }), failsWith('transient', 'broker_gone'))
})

test('an abort ends a call and a download soon', async (t) => {
  const hang = (t: TestContext) =>
    new Promise<Response>((resolve) => {
      t.after(() => {
        resolve(new Response())
      })
    })
  for (const answers of [{ history: () => hang(t) }, { file: () => hang(t) }, { token: () => hang(t) }]) {
    const { read, asked } = await provider(t, answers)
    const stop = new AbortController()
    const reading = read(hour, { signal: stop.signal })
    const expected = 'history' in answers ? 2 : 'file' in answers ? 3 : 1
    while (asked.length < expected) await new Promise((resolve) => setImmediate(resolve))
    stop.abort(new Error('shutting down'))
    await assert.rejects(reading, /shutting down|The reading was stopped/)
  }
})

test('an hour full of messages of other hours has a finding that names the setting', async (t) => {
  const lines = (count: number) => Array.from({ length: count }, (_, id) => line(id)).join('\n')
  const five = { file: (context: Context) => send(context, lines(5)) }
  const wrong = await provider(t, five)
  const reading = await wrong.read('2026112302')
  const finding = '5 of 5 messages lie outside this hour; they would fit timeZone "Z"'
  assert.equal(reading.state === 'published' && reading.finding, finding)
  assert.match(JSON.stringify(wrong.warnings), /5 of 5 messages lie outside/)
  const right = await provider(t, five)
  assert.equal('finding' in (await right.read(hour)), false)
  assert.deepEqual(right.warnings, [])
  const few = await provider(t, { file: (context) => send(context, lines(4)) })
  assert.equal('finding' in (await few.read('2026112302')), false)
})

test('a changed file is read whole: rows appended, taken away and moved', async (t) => {
  let file = [1, 2, 3]
  const { read, records } = await provider(t, {
    file: (context) => send(context, gzipSync(file.map((id) => line(id)).join('\n'))),
  })
  const digests = new Set<string>()
  for (const changed of [
    [1, 2, 3],
    [1, 2, 3, 4],
    [1, 3, 4],
    [4, 3, 1],
  ]) {
    file = changed
    records.length = 0
    const reading = await read(hour)
    assert.equal(reading.state === 'published' && reading.lines, changed.length)
    if (reading.state === 'published') digests.add(reading.digest)
    assert.deepEqual(
      records.map(({ position, messageId }) => [position, messageId]),
      changed.map((id, index) => [index + 1, String(id)]),
    )
  }
  assert.equal(digests.size, 4)
})

test('an answer without files is looked at again, and lost once the hour is too old', async (t) => {
  const { read } = await provider(t, { history: (context) => links(context) })
  assert.deepEqual(await read(hour), { state: 'empty', reason: 'the answer lists no file' })
  assert.equal((await read('2026112010')).state, 'lost')
})

test('one entry without a link makes the answer unusable, and nothing of it is read', async (t) => {
  const entries: unknown[] = [
    {},
    { url: null },
    { url: '' },
    { url: 7 },
    null,
    'soon',
    '',
    [],
    ['http://x/y'],
  ]
  for (const entry of entries) {
    const { read, records } = await provider(t, {
      history: (context, base) => context.json({ data: [{ url: `${base}/file` }, entry] }),
    })
    const reading = await read(hour)
    assert.deepEqual(reading, { state: 'failed', reason: 'the answer names a file by what is no link' })
    assert.deepEqual(records, [])
  }
})

test('links that are listed as plain text are links, also beside others', async (t) => {
  const { read, records } = await provider(t, {
    history: (context, base) => context.json({ data: [`${base}/a`, { url: `${base}/b` }] }),
    file: (context) => send(context, line(context.req.path === '/a' ? 1 : 2)),
  })
  assert.equal((await read(hour)).state, 'published')
  assert.deepEqual(
    records.map(({ messageId }) => messageId),
    ['1', '2'],
  )
  const one = await provider(t, { history: (context, base) => context.json({ data: `${base}/file` }) })
  assert.equal((await one.read(hour)).state, 'published')
})

test('an answer of success that is none is a failed reading', async (t) => {
  const whole = '{"data":[{"url":"http://127.0.0.1:1/x"}]}'
  const bodies = ['', '<html>', '[]', '""', 'null', '{}', '{"data":null}', '{"data":{}}', '{"data":"soon"}']
  const broken = [whole.slice(0, -1), `${whole}${whole}`, `${whole} x`, '{"error":"x","data":[]}']
  for (const body of [...bodies, ...broken, '\ufffe{"data":[]}']) {
    const { read } = await provider(t, { history: (context) => send(context, body) })
    assert.equal((await read(hour)).state, 'failed', body)
  }
})

test('an answer that begins with a byte-order mark is an answer', async (t) => {
  const { read } = await provider(t, {
    history: (context, base) => send(context, `\ufeff{"data":[{"url":"${base}/file"}]}`),
  })
  assert.equal((await read(hour)).state, 'published')
})

test('an answer beyond all measure is a failed reading, not the start of it', async (t) => {
  const { read } = await provider(t, {
    history: (context, base) =>
      send(context, `{"data":[{"url":"${base}/file"}],"padding":"${'x'.repeat(1024 * 1024)}"}`),
  })
  const reading = await read(hour)
  assert.deepEqual(reading, { state: 'failed', reason: 'the answer is longer than chatfeed takes' })
})

test('links are asked for as they are written, whatever stands in them', async (t) => {
  const written = [
    '/file?a=%2f%2F+|"<>^`{}[]\\&&==;\'()*!~',
    '/a/../b/./c//d?x',
    '?only=query',
    "/it's%zz",
    '/file#fragment',
    ' /file?blank=around ',
  ]
  const wired = [written[0], written[1], '/?only=query', written[3], '/file', '/file?blank=around']
  for (const [index, link] of written.entries()) {
    const { read, asked } = await provider(t, {
      history: (context, base) =>
        links(
          context,
          link.replace(/[/?]/, (first) => base + first),
        ),
    })
    assert.equal((await read(hour)).state, 'published', link)
    assert.equal(asked.at(-1)?.path, wired[index])
  }
})

test('what no request line can hold is percent-encoded', async (t) => {
  const written: [string, string][] = [
    ['/2026 客服.gz?Signature=a%2B', '/2026%20%E5%AE%A2%E6%9C%8D.gz?Signature=a%2B'],
    ['/é\u0085\u{1f622}\n\u0000\u007f?a=é', '/%C3%A9%C2%85%F0%9F%98%A2%0A%00%7F?a=%C3%A9'],
  ]
  for (const [link, wired] of written) {
    const { read, asked } = await provider(t, { history: (context, base) => links(context, base + link) })
    assert.equal((await read(hour)).state, 'published')
    assert.equal(asked.at(-1)?.path, wired)
  }
})

test('what is no link fails without a call to the store or a second question', async (t) => {
  for (const link of [
    'x',
    '/history/x.gz',
    '//127.0.0.1/x',
    'ftp://127.0.0.1/x',
    'http://u:p@127.0.0.1/x',
    'http://',
    'http://127.0.0.1:99999/x',
    'http://[127.0.0.1/x',
    'http://127.0.0.1\t.x/x',
    'http://127.0.0.1/half\ud83d',
  ]) {
    const { read, taken, outcomes } = await provider(t, { history: (context) => links(context, link) })
    const reading = await read(hour)
    assert.deepEqual(reading, { state: 'failed', reason: 'the answer names a file by what is no link' }, link)
    assert.equal(taken(), 1)
    assert.deepEqual(outcomes, ['token_ready', 'ready'])
  }
})

test('redirects are followed: relative, from the root, to a whole address; a broken one is a refusal', async (t) => {
  const cases: [location: string, path: string | null][] = [
    ['b?x=%2F', '/a/b?x=%2F'],
    ['/c', '/c'],
    ['?q', '/a/file?q'],
    ['//BASE/d', '/d'],
    ['http://BASE/e?s=%2B|x', '/e?s=%2B|x'],
    // As it comes over the wire: the bytes of /客服.gz in UTF-8.
    [Buffer.from('/客服.gz').toString('latin1'), '/%E5%AE%A2%E6%9C%8D.gz'],
    ['http://', null],
    ['ftp://BASE/x', null],
  ]
  for (const [location, path] of cases) {
    const { read, asked } = await provider(t, {
      history: (context, base) => links(context, `${base}/a/file`),
      file: (context, base) =>
        asked.at(-1)?.path === '/a/file'
          ? new Response(null, {
              status: 302,
              headers: { location: location.replace('BASE', base.replace('http://', '')) },
            })
          : send(context, gzipSync(line(1))),
    })
    assert.equal((await read(hour)).state, path === null ? 'failed' : 'published', location)
    if (path !== null) assert.equal(asked.at(-1)?.path, path)
    const files = asked.filter((call) => !call.path.startsWith('/acme'))
    assert.ok(files.every(({ headers }) => headers.authorization === undefined))
  }
})

test('a store in trouble is not asked for fresh links, and its status is told', async (t) => {
  for (const status of [204, 206, 304, 500, 503] as const) {
    const { read, taken } = await provider(t, { file: () => new Response(null, { status }) })
    const reading = await read(hour)
    assert.deepEqual(reading, { state: 'failed', reason: `the store does not give the file (${status})` })
    assert.equal(taken(), 1)
  }
})

test('fresh links to other files begin the hour anew', async (t) => {
  let asks = 0
  const { read } = await provider(t, {
    history: (context, base) => links(context, `${base}/${asks++}/a?s=${asks}`, `${base}/b`),
    file: (context) => context.text('<Error><Code>AccessDenied</Code></Error>', 403),
  })
  assert.deepEqual(await read(hour), { state: 'failed', reason: 'the files changed meanwhile' })
})

test('an error or a page in place of a file is never an hour, and nothing of it is published', async (t) => {
  const files: Record<string, Buffer | string> = {
    xml: '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>',
    'xml in gz': gzipSync('<?xml version="1.0"?><Error/>'),
    'html with a mark': '\ufeff \n<!doctype html><p>hi</p>',
    json: '{"error":"unauthorized","timestamp":1,"duration":0}',
    'json in gz': gzipSync('{"code":403,"message":"AccessDenied"}\n'),
    'json of several lines': '{\n"code": 403,\n"message": "AccessDenied"\n}\n',
    'html of several lines in gz': gzipSync('<html>\n<body>\noops\n</body>\n</html>\n'),
    'xml behind a mark in gz within gz': gzipSync(gzipSync('\ufeff<?xml version="1.0"?>\n<Error>\n</Error>')),
    brotli: brotliCompressSync(Buffer.from(Array.from({ length: 50 }, (_, id) => line(id)).join('\n'))),
    zlib: deflateSync(line(1)),
    zip: Buffer.from('PK\u0003\u0004\n\u0000\u0000\n\u0001\n', 'latin1'),
    'gz four times': [1, 2, 3, 4].reduce((bytes) => gzipSync(bytes), Buffer.from(line(1))),
    'utf-32': Buffer.from(
      Array.from(`${line(1)}\n${line(2)}\n`).flatMap((char) => [char.charCodeAt(0), 0, 0, 0]),
    ),
    words: 'Service Unavailable',
    'words of several lines': 'Service\nUnavailable\n\nSorry\n',
    'messages without an id': '{"payload":{"bodies":[]}}\n{"payload":{"bodies":[]}}\n',
    'utf-16': Buffer.from(`\ufeff${line(1)}\n${line(2)}`, 'utf16le'),
    'utf-16 without a mark': Buffer.from(`${line(1)}\n`, 'utf16le'),
    'utf-16 in gz': gzipSync(Buffer.from(`\ufeff${line(1)}`, 'utf16le').swap16()),
    gbk: Buffer.concat([
      Buffer.from('{"msg_id":"1","payload":{"bodies":[{"msg":"'),
      gbk,
      Buffer.from('"}]}}'),
    ]),
  }
  for (const [name, file] of Object.entries(files)) {
    const { read, records } = await provider(t, { file: (context) => send(context, file) })
    assert.equal((await read(hour)).state, 'failed', name)
    assert.deepEqual(records, [], name)
  }
})

test('an error in place of the second file is not published either', async (t) => {
  const { read, records } = await provider(t, {
    history: (context, base) => links(context, `${base}/a`, `${base}/b`),
    file: (context) => send(context, context.req.path === '/a' ? line(1) : '{"error":"gone"}'),
  })
  assert.deepEqual(await read(hour), { state: 'failed', reason: 'The history file holds no message.' })
  assert.equal(records.length, 1)
})

test('of a damaged file everything before the damage is published, and the hour is failed', async (t) => {
  const gz = gzipSync(`${line(1)}\n${line(2)}`)
  const flipped = Buffer.from(gz)
  flipped[flipped.length - 6]! ^= 0xff
  const plain = `${line(1)}\n${line(2)}\n${line(3)}`
  const files: Record<string, Buffer | string> = {
    'junk behind gz': Buffer.concat([gz, Buffer.from('junk')]),
    'page behind gz': Buffer.concat([gz, Buffer.from('<html></html>')]),
    'without the trailer': gz.subarray(0, -8),
    'wrong checksum': flipped,
    'plain, cut in the third line': plain.slice(0, -20),
    'gz of a text cut in the third line, cut': gzipSync(plain.slice(0, -20)).subarray(0, -3),
  }
  for (const [name, file] of Object.entries(files)) {
    const { read, records } = await provider(t, { file: (context) => send(context, file) })
    assert.equal((await read(hour)).state, 'failed', name)
    assert.deepEqual(
      records.map(({ messageId }) => messageId),
      ['1', '2'],
      name,
    )
  }
})

test('a broken line of a whole file is a record of its own, its hour is complete', async (t) => {
  const broken = line(2).slice(0, -20)
  const files: Record<string, Buffer | string> = {
    'in the middle': `${line(1)}\n${broken}\n${line(3)}`,
    'at the end, with its newline': `${line(1)}\n${line(3)}\n${broken}\n`,
    'at the end of gz': gzipSync(`${line(1)}\n${line(3)}\n${broken}`),
    'bytes that are no text': Buffer.concat([
      Buffer.from(`${line(1)}\n`),
      Buffer.from([0xed, 0xa0, 0x80, 0x0a]),
      Buffer.from(line(3)),
    ]),
  }
  for (const [name, file] of Object.entries(files)) {
    const { read, records } = await provider(t, { file: (context) => send(context, file) })
    const reading = await read(hour)
    assert.equal(reading.state === 'published' && reading.lines, 3, name)
    assert.deepEqual(records.map(({ messageId }) => messageId).sort(), ['1', '3', null], name)
  }
})

test('what is no file of messages is told by what it is', async (t) => {
  const cases: [Buffer | string, string][] = [
    [gzipSync('<html>\n</html>'), 'is a web page or an error in XML'],
    [Buffer.from(line(1), 'utf16le'), 'is in UTF-16 or UTF-32, not UTF-8'],
    [Buffer.from('PK\u0003\u0004\n\u0000', 'latin1'), 'is neither gz nor text'],
    ['{"code":"AccessDenied"}', 'holds no message'],
  ]
  for (const [file, what] of cases) {
    const { read } = await provider(t, { file: (context) => send(context, file) })
    assert.deepEqual(await read(hour), { state: 'failed', reason: `The history file ${what}.` })
  }
})

test('one hostile line never fails the hour, not even the first', async (t) => {
  const hostile: (Buffer | string)[] = [
    '<html>',
    '\ufeff<?xml version="1.0"?>',
    'PK\u0003\u0004',
    Buffer.from([0x1f, 0x8c, 0, 0, 0, 0]),
    Buffer.from('{"msg_id":"1"', 'utf16le'),
    Buffer.concat([Buffer.from('{"msg":"'), gbk, gbk, Buffer.from('"}')]),
    '{"error":"unauthorized"}',
  ]
  for (const first of hostile) {
    for (const chunks of [1, 1000]) {
      const text = Buffer.concat([Buffer.from(first), Buffer.from(`\n${line(1)}\n${line(2)}\n`)])
      const { read, records } = await provider(t, {
        file: (context) => {
          const pieces = Array.from({ length: Math.ceil(text.length / chunks) }, (_, at) =>
            text.subarray(at * chunks, (at + 1) * chunks),
          )
          return context.body(ReadableStream.from(pieces.map((piece) => new Uint8Array(piece))))
        },
      })
      const reading = await read(hour)
      assert.equal(reading.state === 'published' && reading.lines, 3, JSON.stringify(first))
      assert.deepEqual(
        records.map(({ position, messageId }) => [position, messageId]),
        [
          [1, null],
          [2, '1'],
          [3, '2'],
        ],
      )
    }
  }
})

test('a file of endless junk is given up, and nothing of it is published', async (t) => {
  const junk = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'junk\n'))
  const { read, records } = await provider(t, { file: (context) => send(context, junk) })
  assert.equal((await read(hour)).state, 'failed')
  assert.equal(records.length, 0)
})

test('gz within gz, padding and a declared encoding change nothing', async (t) => {
  const gz = gzipSync(line(1))
  const cases: [Buffer | string, string][] = [
    [gzipSync(gzipSync(gz)), 'gzip'],
    [gzipSync(gz), 'gzip'],
    [gz, 'gzip'],
    [line(1), 'gzip'],
    [Buffer.concat([gz, Buffer.alloc(1000)]), 'identity'],
    [Buffer.concat([gz, Buffer.alloc(1000), gzipSync('')]), 'br'],
  ]
  for (const [file, encoding] of cases) {
    const { read, records } = await provider(t, {
      file: (context) => send(context, file, { 'content-encoding': encoding }),
    })
    assert.equal((await read(hour)).state, 'published', encoding)
    assert.deepEqual(records[0]?.payload, Buffer.from(line(1)))
  }
})

test('nothing but GET is sent, the call for the token apart', async (t) => {
  const { read, asked } = await provider(t, { file: (context) => context.text('gone', 404) })
  await read(hour)
  assert.deepEqual(
    new Set(asked.map(({ method, path }) => (path.endsWith('/token') ? '' : method))),
    new Set(['', 'GET']),
  )
})
