import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { ledgerCodec } from '../support/codecs.ts'
import type { OnceSummary } from '../../src/app/once.ts'
import type { LedgerEntry } from '../../src/model.ts'
import { SandboxFiles } from '../../src/providers/easemob/sandbox/files.ts'
import { historyLines } from '../../src/providers/easemob/sandbox/history.ts'
import { runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { newestRevisions, repeated, type Scene, type SceneOptions, startScene } from '../support/scene.ts'

const hour = 3_600_000
/** The start of the running hour. */
const thisHour = Math.floor(Date.now() / hour) * hour

/** What `backfill --json` prints. */
interface Printed {
  source: string
  hours: number
  read: number
  skipped: number
  gone: string[]
  open: string[]
  failed: { unit: string; reason: string }[]
  lines: number
  left: number
  stopped: string | null
}

interface Gateway {
  /** The path and query of every call, and when it came. */
  calls: { url: string; at: number; status: number }[]
  /** How long each call is held up. */
  delayMs: number
}

/** A scene in which the calls to one provider go through a gateway that counts them. */
async function gatewayScene(
  t: TestContext,
  provider: 'easemob' | 'polyv',
  options: SceneOptions,
): Promise<Scene & { gateway: Gateway }> {
  const scene = await startScene(t, options)
  const source = scene.config.sources.find((candidate) => candidate.provider === provider)
  const target = String((source as { baseUrl?: unknown } | undefined)?.baseUrl)
  const gateway: Gateway = { calls: [], delayMs: 0 }
  const server = createServer((call, response) => {
    const noted = { url: call.url ?? '', at: Date.now(), status: 0 }
    gateway.calls.push(noted)
    void (async () => {
      await delay(gateway.delayMs)
      // The host stays the gateway's, so that links in answers lead back here.
      const answer = await request(target + noted.url, {
        method: call.method === 'POST' ? 'POST' : 'GET',
        headers: Object.entries(call.headers).flatMap(([name, value]) =>
          ['connection', 'content-length', 'transfer-encoding'].includes(name) ? [] : [name, String(value)],
        ),
        ...(call.method === 'POST' && { body: call }),
      })
      noted.status = answer.statusCode
      const body = Buffer.from(await answer.body.arrayBuffer())
      response.writeHead(answer.statusCode, {
        'content-type': String(answer.headers['content-type'] ?? 'application/octet-stream'),
      })
      response.end(body)
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const file = join(scene.folder, 'chatfeed.yaml')
  const { port } = server.address() as AddressInfo
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(target, `http://127.0.0.1:${port}`))
  return { ...scene, gateway }
}

/** The hours of Easemob asked for, in the order of asking. */
const hoursAsked = ({ calls }: Gateway): string[] =>
  calls.flatMap(({ url }) => /\/chatmessages\/(\d{10})$/.exec(url)?.[1] ?? [])

/** The hour of a Polyv call, named as Easemob's hours are; `''` for any other call. */
const polyvHour = (url: string): string =>
  (new URL(url, 'http://gateway').searchParams.get('startDay') ?? '').replace(/\D/g, '').slice(0, 10)

/** The name of the Easemob hour that began `ago` whole hours before the running one. */
const hourAgo = (ago: number): string =>
  new Date(thisHour - ago * hour + 8 * hour).toISOString().replace(/\D/g, '').slice(0, 10)
const timeAgo = (ago: number): string => new Date(thisHour - ago * hour).toISOString()

/** The newest entry of every unit in the ledger, read by the witness. */
async function ledgerOf({ config, topics }: Scene): Promise<Map<string, LedgerEntry>> {
  const records = await readCommitted(config.kafka.brokers ?? [], topics.ledger)
  return new Map(
    records.map(({ value }) => {
      const entry = ledgerCodec.decode(value)
      return [`${entry.source}|${entry.unit}`, entry]
    }),
  )
}

async function runBackfill(t: TestContext, { folder }: Scene, source: string, from: string, to: string) {
  const parameters = ['backfill', '--source', source, '--from', from, '--to', to, '--json']
  const { status, stdout, stderr } = await runChatfeed(t, parameters, { cwd: folder })
  return { status, stderr, summary: JSON.parse(stdout || 'null') as Printed }
}

/** Carries everything through and proves that it is there once. */
async function assertBalanced(t: TestContext, scene: Scene, sources = ''): Promise<void> {
  const roles = `dedup,enrich,sink${sources}`
  const { status, stdout, stderr } = await runChatfeed(t, ['up', '--once', '--json', '--only', roles], {
    cwd: scene.folder,
  })
  assert.equal(status, 0, stderr)
  assert.equal((JSON.parse(stdout) as OnceSummary).ok, true)
  const messages = await scene.readMessages()
  const revisions = messages.map(({ id, revision }) => `${id} ${revision}`)
  assert.deepEqual(repeated(revisions), [])
  assert.equal(revisions.length, scene.served().revisions)
  assert.deepEqual(newestRevisions(messages), scene.stored())
}

test('beside a running job: older hours are read once, and the job, started again, does not fill the gap', async (t) => {
  const scene = await gatewayScene(t, 'easemob', { since: '3h' })
  const up = startChatfeed(t, ['up'], { cwd: scene.folder })
  await until('the job is at work', () => up.stderr().includes('joined the group'))
  for (const source of ['support', 'live']) {
    const { status, stderr, summary } = await runBackfill(t, scene, source, timeAgo(40), timeAgo(30))
    assert.equal(status, 0, stderr)
    const { hours, read, skipped, gone, open, failed, left } = summary
    assert.deepEqual({ gone, open, failed, left }, { gone: [], open: [], failed: [], left: 0 })
    assert.deepEqual([read, skipped], [hours, 0])
    assert.ok(summary.lines > 0 && hours >= 10)
  }
  const ledger = await ledgerOf(scene)
  for (let ago = 31; ago <= 40; ago++) {
    const entry = ledger.get(`support|${hourAgo(ago)}`)
    assert.match(entry?.state ?? '', /^(published|empty)$/, hourAgo(ago))
    assert.equal(entry?.nextLookAt, null)
  }
  up.process.kill('SIGTERM')
  await up.ended

  const before = scene.gateway.calls.length
  const { status, stderr } = await runChatfeed(t, ['up', '--once', '--only', 'ingest'], { cwd: scene.folder })
  assert.equal(status, 0, stderr)
  assert.deepEqual(
    hoursAsked({ ...scene.gateway, calls: scene.gateway.calls.slice(before) }).filter(
      (name) => name < hourAgo(4),
    ),
    [],
  )
  assert.deepEqual(repeated(hoursAsked(scene.gateway).filter((name) => name < hourAgo(4))), [])
  await assertBalanced(t, scene)
})

test('before the first start of the job: the hours that it would begin with are to be looked at again, older ones not', async (t) => {
  const scene = await gatewayScene(t, 'easemob', { since: '30h', lookAgain: ['6h'] })
  for (const [source, unit] of [
    ['support', hourAgo],
    ['live', (ago: number) => `2477096/${hourAgo(ago)}`],
  ] as const) {
    const { status, stderr } = await runBackfill(t, scene, source, timeAgo(34), timeAgo(25))
    assert.equal(status, 0, stderr)
    const ledger = await ledgerOf(scene)
    for (const ago of [34, 33, 32, 31, 29, 28, 27, 26]) {
      const { state, nextLookAt } = ledger.get(`${source}|${unit(ago)}`)!
      assert.match(state, /^(published|empty)$/)
      assert.equal(nextLookAt !== null, ago < 30, `${source} ${ago} hours ago`)
    }
  }
})

test('killed in the middle it goes on where it was: only the hour under way is read again', async (t) => {
  const scene = await gatewayScene(t, 'easemob', { since: '3h' })
  scene.gateway.delayMs = 60
  const parameters = ['backfill', '--source', 'support', '--from', timeAgo(50), '--to', timeAgo(20)]
  const killed = startChatfeed(t, parameters, { cwd: scene.folder })
  await until('some hours are read', () => hoursAsked(scene.gateway).length > 8)
  killed.process.kill('SIGKILL')
  await killed.ended
  const asked = new Set(hoursAsked(scene.gateway))
  assert.ok(asked.size < 30, 'there was something left')

  scene.gateway.delayMs = 0
  const { status, stderr, summary } = await runBackfill(t, scene, 'support', timeAgo(50), timeAgo(20))
  assert.equal(status, 0, stderr)
  assert.equal(summary.hours, 30)
  assert.equal(summary.read + summary.skipped, 30)
  assert.ok(summary.skipped >= asked.size - 1)
  const twice = repeated(hoursAsked(scene.gateway))
  assert.ok(twice.length <= 1, twice.join())

  const again = await runBackfill(t, scene, 'support', timeAgo(50), timeAgo(20))
  assert.deepEqual([again.status, again.summary.read, again.summary.skipped], [0, 0, 30])
  await assertBalanced(t, scene)
})

/** At night some hours of the simulation are empty: a seed by which this one is not. */
function seedWithMessagesIn(startMs: number): number {
  for (let seed = 1; ; seed++) {
    const files = new SandboxFiles(seed)
    if (historyLines(startMs, { seed, messagesPerHour: 40, files, filesUrl: '' }).length > 0) return seed
  }
}

test('hours that are gone are named and not asked for, those not over are left to the job; the rest is read', async (t) => {
  // The hour that began 72 hours before the running one is gone in half an hour, the one before it since half an hour.
  const retention = `${Date.now() - thisHour + 71.5 * hour}ms`
  const scene = await gatewayScene(t, 'easemob', {
    since: '3h',
    seed: seedWithMessagesIn(thisHour - 72 * hour),
    sources: { easemob: { retention, settle: '2h' } },
  })
  // The provider still has it, also when an hour has passed since this file began.
  scene.setClock(thisHour + hour / 2)
  const some = await runBackfill(t, scene, 'support', timeAgo(80), timeAgo(70))
  assert.equal(some.status, 1)
  assert.deepEqual(
    some.summary.gone,
    Array.from({ length: 8 }, (_, at) => hourAgo(80 - at)),
  )
  assert.deepEqual([some.summary.read, some.summary.lines > 0], [2, true])
  assert.deepEqual(hoursAsked(scene.gateway).sort(), [hourAgo(72), hourAgo(71)])
  const ledger = await ledgerOf(scene)
  assert.deepEqual([...ledger.keys()].sort(), [`support|${hourAgo(72)}`, `support|${hourAgo(71)}`])

  const run = (from: number, to: number) =>
    runChatfeed(t, ['backfill', '--source', 'support', '--from', timeAgo(from), '--to', timeAgo(to)], {
      cwd: scene.folder,
    })
  const none = await run(100, 80)
  assert.equal(none.status, 1)
  assert.ok(none.stdout.includes(`${hourAgo(100)} … ${hourAgo(81)} (20 hours)`), none.stdout)
  const young = await run(1, -1)
  assert.equal(young.status, 0)
  assert.ok(young.stdout.includes(`${hourAgo(1)} … ${hourAgo(0)} (2 hours)`), young.stdout)
  assert.equal(hoursAsked(scene.gateway).length, 2)
})

test('SIGTERM ends it within ten seconds, and it says that it goes on from there', async (t) => {
  const scene = await gatewayScene(t, 'easemob', { since: '3h' })
  const run = startChatfeed(
    t,
    ['backfill', '--source', 'support', '--from', timeAgo(50), '--to', timeAgo(20)],
    { cwd: scene.folder },
  )
  await until('an hour is asked for', () => hoursAsked(scene.gateway).length > 2)
  scene.gateway.delayMs = 60_000
  const stoppedAt = Date.now()
  run.process.kill('SIGTERM')
  const { status, stdout, stderr } = await run.ended
  assert.ok(Date.now() - stoppedAt < 10_000, stderr)
  assert.equal(status, 1)
  assert.match(stdout, /\d+ hours are left: the same command goes on from here\./)
})

test('with the job at work beside it, the provider’s limit is kept and neither starves', async (t) => {
  const limit = 20
  const scene = await gatewayScene(t, 'polyv', {
    since: '2h',
    messagesPerHour: 10,
    overrides: { callsPer10s: limit },
    sources: {
      polyv: {
        ratePer10s: limit,
        statuses: ['pass'],
        scopes: ['public'],
        channels: ['2477096'],
        pollEvery: '1s',
      },
    },
  })
  const clock = setInterval(() => {
    scene.setClock(Date.now())
  }, 20)
  t.after(() => {
    clearInterval(clock)
  })
  const up = startChatfeed(t, ['up'], { cwd: scene.folder })
  await until('the job polls', () => scene.gateway.calls.length > 2)
  const startedAt = Date.now()
  const { status, stderr, summary } = await runBackfill(t, scene, 'live', timeAgo(46), timeAgo(30))
  assert.equal(status, 0, stderr)
  assert.equal(summary.read, 16)
  assert.ok(Date.now() - startedAt > 10_000, 'the limit made it wait')
  up.process.kill('SIGTERM')
  await up.ended
  const { calls } = scene.gateway
  assert.deepEqual(
    calls.filter((call) => call.status !== 200),
    [],
  )
  for (const [at, call] of calls.entries())
    assert.ok((calls[at + limit]?.at ?? Infinity) - call.at > 10_000, `calls ${at} to ${at + limit}`)
  const hoursOf = calls.filter(({ at }) => at > startedAt).map(({ url }) => polyvHour(url))
  assert.ok(new Set(hoursOf.filter((name) => name < hourAgo(29))).size >= 16, 'the backfill read its hours')
  assert.ok(hoursOf.filter((name) => name > hourAgo(29)).length > 10, 'the job polled on')
  await assertBalanced(t, scene)
})

test('a source that is not configured is a wrong word on the command line', async (t) => {
  const scene = await startScene(t, { since: '3h' })
  const { status, stderr } = await runChatfeed(
    t,
    ['backfill', '--source', 'nobody', '--from', '30h', '--to', '20h'],
    { cwd: scene.folder },
  )
  assert.equal(status, 2)
  assert.match(stderr, /There is no source nobody\. Choose from support, live\./)
})
