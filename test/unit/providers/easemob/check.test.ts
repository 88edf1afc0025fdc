import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { easemob } from '../../../../src/providers/easemob/index.ts'
import type { Finding } from '../../../../src/providers/provider.ts'
import {
  type Answers,
  hour,
  hourMs,
  hourStartMs,
  line,
  links,
  listen,
  now,
  openSource,
  provider,
  refuse,
  send,
} from './support.ts'

const never = new AbortController().signal
/** The newest hour that is closed at `now`, with the default `settle`. */
const newestMs = hourStartMs + hourMs
const lines = (startMs: number, count = 20) =>
  gzipSync(Array.from({ length: count }, (_, id) => line(id, startMs + id)).join('\n'))
const atNow = { date: new Date(now).toUTCString() }

/** What is found, as `level about`, and the findings by what they are about. */
async function checked(t: TestContext, answers: Answers, entry: Record<string, unknown> = {}) {
  const probe = await provider(t, answers, entry)
  const findings = await probe.source.check(never)
  for (const finding of findings) {
    if (finding.level !== 'ok') assert.ok(finding.mend, finding.text)
    assert.doesNotMatch(JSON.stringify(finding), /client-secret|YWMt|Signature/)
  }
  const by = new Map<string, Finding>(findings.map((finding) => [finding.about, finding]))
  return { ...probe, by, told: findings.map(({ level, about }) => `${level} ${about}`) }
}

const healthy: Answers = {
  history: (context, base) => {
    context.header('date', atNow.date)
    return links(context, `${base}/file?Signature=x`)
  },
  file: (context) => send(context, lines(newestMs)),
}

test('a healthy source is fine in every respect, by few questions', async (t) => {
  const { told, taken, asked, records } = await checked(t, healthy)
  assert.deepEqual(told, ['ok rate', 'ok credentials', 'ok scope', 'ok zone', 'ok clock'])
  assert.equal(taken(), 1)
  assert.deepEqual(
    asked.map(({ method, path }) => `${method} ${path}`),
    ['POST /acme/helpdesk/token', 'GET /acme/helpdesk/chatmessages/2026112311', 'GET /file?Signature=x'],
  )
  assert.deepEqual(records, [])
})

test('a source that pulls is asked for one row', async (t) => {
  const { told, asked } = await checked(t, {}, { mode: 'pull' })
  assert.deepEqual(told.slice(0, 3), ['ok rate', 'ok credentials', 'ok scope'])
  assert.match(asked.at(-1)!.path, /chatmessages\?ql=select%20%2A%20where%20timestamp%3E\d+&limit=1$/)
  const retired = await checked(
    t,
    { pull: (context) => refuse(context, 400, { error: 'illegal_argument' }) },
    { mode: 'pull' },
  )
  assert.match(retired.by.get('history')?.mend ?? '', /mode to files/)
})

test('a clock that is off is told with its direction', async (t) => {
  const off = (ms: number): Answers => ({
    ...healthy,
    history: (context, base) => {
      context.header('date', new Date(now + ms).toUTCString())
      return links(context, `${base}/file`)
    },
  })
  const behind = await checked(t, off(90_000))
  assert.match(behind.by.get('clock')?.text ?? '', /90 s behind/)
  assert.equal(behind.by.get('clock')?.level, 'warning')
  assert.match((await checked(t, off(-3_600_000))).by.get('clock')?.text ?? '', /3600 s ahead of/)
  assert.equal((await checked(t, off(59_000))).by.get('clock')?.level, 'ok')
})

test('a wrong zone is told with the one that would fit', async (t) => {
  const { by } = await checked(t, {
    ...healthy,
    file: (context) => send(context, lines(newestMs + 8 * hourMs)),
  })
  assert.equal(by.get('zone')?.level, 'warning')
  assert.match(by.get('zone')?.text ?? '', /20 of 20 messages lie outside .* timeZone "Z"/)
})

test('of a long file only the start is read', async (t) => {
  const long = Buffer.concat(Array.from({ length: 400 }, (_, part) => lines(newestMs + part, 1000)))
  const { by } = await checked(t, { ...healthy, file: (context) => send(context, long) })
  assert.equal(by.get('zone')?.level, 'ok')
})

test('older hours are asked when the newest has nothing, but not many', async (t) => {
  const hours: string[] = []
  const emptyUntil = (count: number): Answers => ({
    ...healthy,
    history: (context, base) => {
      hours.push(context.req.param('hour') ?? '')
      return hours.length <= count
        ? refuse(context, 404, { error: 'storage_object_not_found' })
        : links(context, `${base}/file`)
    },
    file: (context) => send(context, lines(hourStartMs)),
  })
  const one = await checked(t, emptyUntil(1))
  assert.deepEqual(hours.splice(0), ['2026112311', hour])
  assert.equal(one.by.get('zone')?.level, 'ok')
  const none = await checked(t, emptyUntil(100))
  assert.equal(hours.length, 3)
  assert.equal(none.by.get('scope')?.level, 'ok')
  assert.equal(none.by.get('zone')?.level, 'warning')
})

test('too few messages, a damaged file and a store that refuses are told', async (t) => {
  const few = await checked(t, { ...healthy, file: (context) => send(context, lines(newestMs, 3)) })
  assert.match(few.by.get('zone')?.text ?? '', /too few messages/)
  const damaged = await checked(t, { ...healthy, file: (context) => send(context, '<html>') })
  assert.equal(damaged.by.get('files')?.level, 'warning')
  const refused = await checked(t, { ...healthy, file: (context) => context.text('no', 403) })
  assert.match(refused.by.get('files')?.text ?? '', /403/)
  assert.equal(refused.by.get('files')?.level, 'fault')
})

test('every refusal is told with what it is about', async (t) => {
  const noRight = { error: 'unauthorized', error_description: 'Subject does not have permission' }
  const cases: [string, Answers][] = [
    ['fault credentials', { token: (context) => refuse(context, 400, { error: 'invalid_grant' }) }],
    ['fault credentials', { token: (context) => context.html('oops', 500) }],
    [
      'fault app',
      { token: (context) => refuse(context, 404, { error: 'organization_application_not_found' }) },
    ],
    ['fault app', { history: (context) => refuse(context, 403, { error: 'forbidden_op' }) }],
    ['fault scope', { history: (context) => refuse(context, 401, noRight) }],
    ['fault scope', { history: (context) => refuse(context, 401, { error: 'unauthorized' }) }],
    ['warning rate', { history: (context) => refuse(context, 429, { error: 'reach_limit' }) }],
    ['fault history', { history: (context) => context.html('bad gateway', 502) }],
    ['fault history', { history: (context) => context.json({ data: 'x' }) }],
  ]
  for (const [expected, answers] of cases) {
    const { told } = await checked(t, answers)
    assert.ok(told.includes(expected), `${expected}: ${told.join(', ')}`)
  }
  const unknown = await checked(t, cases[2]![1])
  assert.match(unknown.by.get('app')?.text ?? '', /acme\/helpdesk at http/)
})

test('a host that does not answer is told', async (t) => {
  const { source } = openSource(t, { baseUrl: 'http://127.0.0.1:1' }, () => now)
  const findings = await source.check(never)
  assert.deepEqual(
    findings.map(({ level, about }) => `${level} ${about}`),
    ['ok rate', 'fault host'],
  )
})

test('settings that do not fit each other are warned of', async (t) => {
  const warned = async (entry: Record<string, unknown>) => (await checked(t, healthy, entry)).told
  assert.ok((await warned({ since: '7d' })).includes('warning since'))
  assert.ok((await warned({ since: '2026-11-01' })).includes('warning since'))
  assert.ok((await warned({ since: '7d', retention: '7d' })).every((told) => told !== 'warning since'))
  assert.ok((await warned({ ratePerMinute: 60 })).includes('warning rate'))
  // They are counted apart.
  const users = ['a', 'b', 'c', 'd', 'e', 'f']
  assert.ok((await warned({ unread: { users, every: '1m' } })).includes('ok rate'))
})

test('a check that is stopped ends as such', async (t) => {
  const { source } = await provider(t, healthy)
  const stop = new AbortController()
  stop.abort()
  await assert.rejects(source.check(stop.signal), { code: 'stopped' })
})

test('the sandbox is healthy in both modes', async (t) => {
  const sandbox = easemob.sandbox({ seed: 1, now: Date.now, messagesPerHour: 2000 })
  const url = await listen(t, sandbox.app)
  for (const mode of ['files', 'pull']) {
    const { source } = openSource(t, { ...sandbox.sourceConfig(url), mode }, Date.now)
    const findings = await source.check(never)
    assert.deepEqual(
      findings.filter(({ level, about }) => level !== 'ok' && about !== 'zone'),
      [],
    )
  }
})
