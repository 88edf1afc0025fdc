import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { audit } from '../../src/app/open-audit.ts'
import { startPipeline } from '../../src/app/pipeline.ts'
import { parseRoles } from '../../src/app/roles.ts'
import { openRuntime } from '../../src/app/runtime.ts'
import { Connection } from '../../src/kafka/connection.ts'
import { topicOffsets } from '../../src/kafka/offsets.ts'
import { silentLog } from '../../src/log.ts'
import type { Attachment, Message } from '../../src/model.ts'
import { assertBalanced } from '../support/balance.ts'
import { runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { runRoles } from '../support/run-once.ts'
import { newestRevisions, repeated, type Scene, startScene } from '../support/scene.ts'

/** Files of an archive, by key. */
function archived(folder: string): Map<string, Buffer> {
  const root = join(folder, 'archive')
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('.part'))
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(files.map((path) => [path.slice(root.length + 1), readFileSync(path)]))
}

function assertWhole(folder: string): void {
  for (const [key, bytes] of archived(folder)) {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    assert.equal(key, `sha256/${sha256.slice(0, 2)}/${sha256}`)
  }
}

async function assertAudited({ config }: Scene): Promise<void> {
  const runtime = await openRuntime({ config, log: silentLog })
  try {
    const signal = AbortSignal.timeout(60_000)
    const { balanced, problems } = await audit(
      runtime,
      {},
      { patienceMs: 5_000, signal, onProgress: () => undefined },
    )
    assert.deepEqual(problems, [])
    assert.equal(balanced, true)
  } finally {
    await runtime.close()
  }
}

const filesOf = (messages: readonly Message[]): Attachment[] =>
  messages.flatMap(({ attachments }) => attachments)
const countByState = (files: readonly Attachment[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { state } of files) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

/** Messages that carry links of anybody's making, as a saved file. */
function savedLinks(links: readonly string[]): Buffer {
  const lines = links.map((url, n) =>
    JSON.stringify({
      msg_id: `forged-${n}`,
      timestamp: 1_795_600_000_123 + n,
      chat_type: 'chat',
      from: 'mallory',
      to: 'wang',
      payload: {
        bodies: [{ type: 'img', filename: 'a.png', url, secret: 's' }],
        from: 'mallory',
        to: 'wang',
      },
    }),
  )
  return gzipSync(lines.join('\n'))
}

/** A neighbour on this machine that nobody is to ask. */
async function startVictim(t: TestContext): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('secret')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return { port, asked }
}

suite('attachments', () => {
  test('an archive holds each file once, however it had to be opened; forged links reach nobody', async (t) => {
    const victim = await startVictim(t)
    const scene = await startScene(t, {
      since: '16h', // the nights of the simulation are quiet
      messagesPerHour: 80,
      attachments: { mode: 'archive', archive: 'archive', allowHosts: ['127.0.0.1:1'] },
      overrides: { filesNeedToken: true, filesRedirected: 0.3 },
    })
    const { host } = new URL(scene.baseUrl('easemob'))
    const forged = [
      `http://127.0.0.1:${victim.port}/a`,
      `http://localhost:${victim.port}/b`,
      `http://[::ffff:127.0.0.1]:${victim.port}/c`,
      `http://2130706433:${victim.port}/d`,
      `http://0.0.0.0:${victim.port}/e`,
      `http://${host}@127.0.0.1:${victim.port}/f`,
      'http://169.254.169.254/latest/meta-data',
    ]
    // Where our token would open what is no file.
    const reaching = [
      `http://${host}/chatfeed-demo/helpdesk/users/lin.yue/offline_msg_count`,
      `http://${host}/chatfeed-demo/helpdesk/chatfiles/%2e%2e/chatmessages`,
    ]
    const saved = join(scene.folder, 'saved.gz')
    writeFileSync(saved, savedLinks([...forged, ...reaching]))
    // The store behind the redirects is the sandbox itself, which only now has an address.
    const file = join(scene.folder, 'chatfeed.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace('127.0.0.1:1\n', `${host}\n`))
    const imported = await runChatfeed(t, ['import', saved, '--source', 'support'], { cwd: scene.folder })
    assert.equal(imported.status, 0, imported.stderr)
    const run = await runChatfeed(t, ['up', '--once', '-v'], { cwd: scene.folder })
    assert.equal(run.status, 0, run.stderr)
    for (const word of ['YWMt', 'share-secret', 'Signature=', 'chatfiles/', 'meta-data'])
      assert.equal(run.stderr.includes(word), false, word)

    const messages = await scene.readMessages()
    const isForged = ({ messageId }: Message) => messageId.startsWith('forged-')
    const mallory = messages.filter(isForged).sort((a, b) => (a.messageId < b.messageId ? -1 : 1))
    const states = filesOf(mallory).map(({ state }) => state)
    assert.deepEqual(states, [...forged.map(() => 'failed'), ...reaching.map(() => 'forbidden')])
    assert.deepEqual(victim.asked, [])

    const files = filesOf(messages.filter((message) => !isForged(message)))
    const { archived: kept = 0, gone = 0, ...others } = countByState(files)
    assert.ok(kept > 20, String(kept))
    assert.deepEqual(others, {})
    assert.equal(kept + gone, files.length)
    const store = archived(scene.folder)
    const keys = new Set(files.flatMap(({ archiveKey }) => archiveKey ?? []))
    assert.deepEqual([...store.keys()].sort(), [...keys].sort())
    assert.ok(keys.size < kept, 'the same picture was sent more than once')
    for (const { archiveKey, sha256, size, state } of files) {
      if (state !== 'archived') continue
      assert.equal(store.get(archiveKey ?? '')?.length, size)
      assert.ok(archiveKey?.endsWith(`/${sha256}`))
    }
    assertWhole(scene.folder)
    await assertAudited(scene)
  })

  test('what failed is tried again, and brings one new revision; the audit balances before and after', async (t) => {
    const start = Date.now()
    const scene = await startScene(t, {
      since: '14h', // the nights of the simulation are quiet
      attachments: { mode: 'check', retryAfter: '300ms' },
      overrides: { filesDownUntil: start + 60_000 },
    })
    await runRoles(scene.config)
    const before = await scene.readMessages()
    const wanting = before.filter(
      ({ provider, attachments }) => provider === 'easemob' && attachments.length > 0,
    )
    assert.ok(wanting.length > 5)
    assert.deepEqual(Object.keys(countByState(filesOf(wanting))), ['failed'])

    const runtime = await openRuntime({ config: scene.config, log: silentLog })
    const pipeline = await startPipeline(runtime, parseRoles('dedup,enrich,sink', scene.config), false)
    t.after(async () => {
      await pipeline.stop()
      await runtime.close()
    })
    const connection = new Connection(runtime.kafka, silentLog)
    t.after(() => connection.close())
    await connection.know([scene.topics.attachments])
    const attempts = async () => {
      const ends = await topicOffsets(connection, scene.topics.attachments, 'latest')
      return [...ends.values()].reduce((sum, end) => sum + end, 0)
    }
    const begun = await attempts()
    await until('it is tried again', async () => (await attempts()) > begun)
    await assertAudited(scene)
    assert.equal((await scene.readMessages()).length, before.length, 'no revision without news')

    scene.setClock(start + 60_000)
    const isRevised = (row: string) => row.endsWith(' 2')
    await until('the sink has them', () => scene.stored().filter(isRevised).length >= wanting.length)
    await assertAudited(scene)
    const after = await scene.readMessages()
    const revised = after.filter(({ revision }) => revision > 1)
    assert.deepEqual(revised.map(({ id }) => id).sort(), wanting.map(({ id }) => id).sort())
    assert.ok(revised.every(({ revision }) => revision === 2))
    assert.equal(countByState(filesOf(revised)).failed, undefined)
    assert.deepEqual(repeated(after.map(({ id, revision }) => `${id} ${revision}`)), [])
    for (const { id, fetchedAt, text } of revised) {
      const first = before.find((message) => message.id === id)
      assert.deepEqual([fetchedAt, text], [first?.fetchedAt, first?.text])
    }
    assert.deepEqual(scene.stored(), newestRevisions(after))
  })

  test('killed while it archives, it leaves no half file, and every message comes once', async (t) => {
    const scene = await startScene(t, { since: '12h', attachments: { mode: 'archive', archive: 'archive' } })
    const spool = join(scene.folder, 'data', 'spool')
    for (let kill = 0; kill < 2; kill++) {
      const running = startChatfeed(t, ['up'], { cwd: scene.folder })
      const { process: child, ended } = running
      await until('it archives', () => {
        assert.equal(child.exitCode, null, running.stderr())
        return existsSync(spool) && readdirSync(spool).length > 0
      })
      child.kill('SIGKILL')
      await ended
      assertWhole(scene.folder)
    }
    await assertBalanced(scene)
    assertWhole(scene.folder)
    const files = filesOf(await scene.readMessages())
    const { archived: kept = 0, gone = 0 } = countByState(files)
    assert.ok(kept > 0)
    assert.equal(kept + gone, files.length)
    await assertAudited(scene)
  })
})
