import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ChatfeedError } from '../../../../src/errors.ts'
import type { Finding } from '../../../../src/finding.ts'
import { listen, makeContext, morningMs, openSandbox, openSource } from './harness.ts'

const entry = { name: 'live', provider: 'polyv', appId: 'a', appSecret: 'b', channels: ['1'] }
const { signal } = new AbortController()

const succeeded = (data: unknown): Response =>
  Response.json({ code: 200, status: 'success', message: '', data })
const failed = (code: number, message: string): Response =>
  Response.json({ code, status: 'error', message, data: '' }, { status: code })

/** The findings about a service that answers by path. */
async function check(
  t: TestContext,
  answer: (path: string, params: URLSearchParams) => Response,
  { aheadMs = 0, ...change }: Record<string, unknown> & { aheadMs?: number } = {},
) {
  const calls: string[] = []
  const baseUrl = await listen(t, (request) => {
    const { pathname, searchParams } = new URL(request.url)
    calls.push(pathname)
    const response = answer(pathname, searchParams)
    response.headers.set('date', new Date(morningMs).toUTCString())
    return response
  })
  const { context, clock } = makeContext(morningMs + aheadMs)
  const source = openSource(t, { ...entry, baseUrl, ...change }, context)
  const findings = await source.check(signal)
  for (const { level, text, mend } of findings) {
    assert.ok(text.length > 0)
    assert.equal(Boolean(mend), level !== 'ok', text)
  }
  return { findings, calls, clock }
}

/** `level about` of the findings that are not fine. */
const troubles = (findings: Finding[]): string[] =>
  findings.filter(({ level }) => level !== 'ok').map(({ level, about }) => `${level} ${about}`)

const about = (findings: Finding[], word: string): Finding => {
  const finding = findings.find((candidate) => candidate.about === word)
  assert.ok(finding, `nothing about ${word}`)
  return finding
}

test('an account in order: everything looked at is fine', async (t) => {
  for (const change of [
    {},
    { channels: 'all' },
    { endpoint: 'v3-page' },
    { endpoint: 'v3-speak', channels: 'all' },
  ]) {
    const { source } = await openSandbox(t, {}, change)
    const findings = await source.check(signal)
    assert.deepEqual(troubles(findings), [])
    for (const word of ['credentials', 'clock', 'endpoint', 'rate']) about(findings, word)
  }
})

test('a clock that is off is named, beyond three minutes as a fault that is corrected', async (t) => {
  const cases: [aheadMs: number, level: string, text: RegExp][] = [
    [-30_000, 'ok', /agree/],
    [-90_000, 'warning', /90 s behind/],
    [170_000, 'warning', /170 s ahead/],
    [600_000, 'fault', /600 s ahead.*signed by Polyv's clock/],
  ]
  for (const [aheadMs, level, text] of cases) {
    const { findings } = await check(t, () => succeeded([]), { aheadMs })
    const clock = about(findings, 'clock')
    assert.equal(clock.level, level)
    assert.match(clock.text, text)
  }
})

test('wrong credentials are a fault with the mend, and nothing more is asked', async (t) => {
  for (const message of ['invalid signature.', 'application not found.']) {
    const { findings, calls } = await check(t, () => failed(400, message), { channels: ['1', '2'] })
    assert.deepEqual(troubles(findings), ['fault credentials'])
    assert.match(about(findings, 'credentials').mend ?? '', /console/)
    assert.equal(calls.length, 1)
    about(findings, 'clock')
  }
})

test('a service in trouble is a fault, never an exception', async (t) => {
  const answers: [() => Response, RegExp][] = [
    [() => failed(400, 'qps exceeds number of calls'), /too many calls/],
    [() => new Response('<html>', { status: 404 }), /404/],
    [
      () => new Response('', { status: 302, headers: { location: 'https://api.example/x?sign=1' } }),
      /redirects/,
    ],
  ]
  for (const [answer, text] of answers) {
    const { findings } = await check(t, answer)
    assert.deepEqual(troubles(findings), ['fault service'])
    assert.match(about(findings, 'service').text, text)
  }
  const away = openSource(t, { ...entry, baseUrl: 'http://127.0.0.1:1' }, makeContext(morningMs).context)
  assert.deepEqual(troubles(await away.check(signal)), ['fault service'])
})

test('channels that are gone or closed are named, the others counted', async (t) => {
  const { findings, calls } = await check(
    t,
    (path) => (path.includes('/2/') ? failed(400, 'channel not found.') : succeeded([])),
    { channels: ['1', '2', '3'] },
  )
  assert.deepEqual(troubles(findings), ['fault channels'])
  assert.match(about(findings, 'channels').text, /^Channel 2: /)
  assert.ok(findings.some(({ text }) => text === '2 of 3 channels can be read.'))
  assert.equal(calls.filter((path) => !path.includes('/1/')).length, 2)
  assert.equal(calls.length, 3 + 3, 'the first good channel is asked for its other lists')
})

test('every list that is configured is asked of one channel, and a refused one named with its setting', async (t) => {
  const cases: [parameter: string, value: string, text: RegExp, mend: RegExp][] = [
    ['source', 'extend', /^source=extend: /, /^Take extend out of scopes, or /],
    ['roomId', '77', /^roomId=77: /, /^Take 77 out of rooms, or /],
    ['status', 'censor', /^status=censor: /, /^Take censor out of statuses, or /],
  ]
  for (const [parameter, value, text, mend] of cases) {
    const { findings, calls } = await check(
      t,
      (_path, params) =>
        params.get(parameter) === value && (parameter === 'status' || params.get('status') === 'pass')
          ? failed(403, 'access forbidden')
          : succeeded([]),
      { channels: ['1', '2'], scopes: parameter === 'source' ? undefined : ['public'], rooms: ['77'] },
    )
    assert.ok(troubles(findings).every((trouble) => trouble === 'fault lists'))
    const refused = findings.find(({ about }) => about === 'lists')
    assert.match(refused?.text ?? '', text)
    assert.match(refused?.mend ?? '', mend)
    assert.equal(calls.filter((path) => path.includes('/2/')).length, 1)
  }
  const { findings } = await check(t, () => succeeded([]), { rooms: ['77'] })
  assert.match(about(findings, 'lists').text, /8 lists/)
})

test('a fault that Polyv itself reports is no reason for another endpoint', async (t) => {
  const { findings } = await check(t, () => failed(500, 'api error.'))
  assert.deepEqual(troubles(findings), ['fault endpoint'])
  assert.doesNotMatch(about(findings, 'endpoint').mend ?? '', /another endpoint/)
})

test('an endpoint that does not serve the account is a fault that names it', async (t) => {
  const { findings } = await check(t, () => succeeded({ page: 1 }), { endpoint: 'v3-page' })
  assert.deepEqual(troubles(findings), ['fault endpoint'])
  assert.match(about(findings, 'endpoint').text, /^v3-page: .*without a list/)
})

test('with all channels the list of the account is asked for and one of them', async (t) => {
  const { findings, calls } = await check(
    t,
    (path) => succeeded(path.endsWith('/channels') ? { channels: [1, 2, 3] } : []),
    { channels: 'all' },
  )
  assert.match(about(findings, 'channels').text, /3 channels/)
  assert.equal(calls.length, 2 + 3)
  const none = await check(t, () => succeeded({ channels: [] }), { channels: 'all' })
  assert.deepEqual(troubles(none.findings), ['warning channels'])
})

test('v3-speak: channels that are not the account’s are named, settings without effect too', async (t) => {
  const answer = (path: string) => succeeded(path.endsWith('/channels') ? { channels: [1] } : { list: [] })
  const { findings } = await check(t, answer, { endpoint: 'v3-speak', channels: ['1', '9'], rooms: ['5'] })
  assert.deepEqual(troubles(findings), ['fault channels', 'warning filters'])
  assert.match(about(findings, 'channels').text, /no channel 9\./)
  assert.match(about(findings, 'filters').text, /no effect/)
  for (const change of [{ statuses: ['pass'] }, { scopes: ['extend'] }]) {
    const told = await check(t, answer, { endpoint: 'v3-speak', channels: 'all', ...change })
    assert.deepEqual(troubles(told.findings), ['warning filters'])
  }
})

test('rates that cannot be kept are told with a pollEvery that can', async (t) => {
  const bold = await check(t, () => succeeded([]), { ratePer10s: 1_200 })
  assert.deepEqual(troubles(bold.findings), ['warning rate'])
  const channels = Array.from({ length: 50 }, (_, index) => String(index + 1))
  const slow = await check(t, () => succeeded([]), { channels, pollEvery: '5s', ratePer10s: 100 })
  assert.deepEqual(troubles(slow.findings), ['warning polling'])
  assert.match(about(slow.findings, 'polling').text, /200 calls/)
  assert.match(about(slow.findings, 'polling').mend ?? '', /pollEvery to 20s/)
  const enough = await check(t, () => succeeded([]), { channels, pollEvery: '20s', ratePer10s: 100 })
  assert.deepEqual(troubles(enough.findings), [])
})

test('an address without https is advised against, unless it is this machine', async (t) => {
  const source = openSource(t, { ...entry, baseUrl: 'http://polyv.invalid' }, makeContext(morningMs).context)
  assert.deepEqual(troubles(await source.check(signal)), ['fault service', 'warning address'])
})

test('a stopped check ends as stopped', async (t) => {
  const { source } = await openSandbox(t)
  await assert.rejects(
    source.check(AbortSignal.abort()),
    (error) => error instanceof ChatfeedError && error.code === 'stopped',
  )
})
