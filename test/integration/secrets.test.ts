import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { startScene } from '../support/scene.ts'

/** What must never be printed, whatever happens: secrets, tokens, signatures, signed links. */
const never = ['YXA6-sandbox-secret', 'polyv-sandbox-secret', 'YWMt', 'Signature=', 'sign=', 'share-secret=']

function assertSilentAbout(words: readonly string[], printed: string): void {
  for (const word of words) {
    const at = printed.indexOf(word)
    assert.equal(at, -1, `${word} is in: ${printed.slice(Math.max(0, at - 200), at + 100)}`)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return address && typeof address === 'object' ? address.port : assert.fail('no port')
}

suite('secrets and messages', () => {
  test('a run with everything logged prints no secret, no token, no link and no message', async (t) => {
    const httpPort = await freePort()
    const unread = { users: ['lin.yue', 'nobody'], every: '10s' }
    const scene = await startScene(t, { since: '16h', httpPort, sources: { easemob: { unread } } })
    const configured = readFileSync(join(scene.folder, 'chatfeed.yaml'), 'utf8')
    for (const secret of never.slice(0, 2)) assert.ok(configured.includes(secret), 'the secrets are in use')

    const once = await runChatfeed(t, ['up', '--once', '-v'], { cwd: scene.folder })
    assert.equal(once.status, 0, once.stderr)
    assert.match(once.stderr, /"level":20/, 'everything is logged')

    const live = startChatfeed(t, ['up', '-v'], { cwd: scene.folder })
    const ask = (path: string) => fetch(`http://127.0.0.1:${httpPort}${path}`)
    await until('the process is ready', () =>
      ask('/readyz').then(
        ({ ok }) => ok,
        () => false,
      ),
    )
    const pages = await Promise.all(
      ['/metrics', '/healthz', '/readyz'].map((path) => ask(path).then((answer) => answer.text())),
    )
    assert.match(pages[0] ?? '', /^chatfeed_lag_records\{/m)
    live.process.kill('SIGTERM')
    const { status, stdout, stderr } = await live.ended
    assert.equal(status, 0, stderr)

    const told = await runChatfeed(t, ['status', '-v'], { cwd: scene.folder })
    const checked = await runChatfeed(t, ['check', '-v'], { cwd: scene.folder })
    assert.equal(checked.status, 0, checked.stdout)
    const saved = join(scene.folder, 'saved.ndjson')
    const bodies = [
      { type: 'txt', msg: '西湖边的旧书店' },
      { type: 'file', url: 'https://a1.easemob.com/f', secret: 'Zebra-9' },
    ]
    const line = {
      msg_id: '1',
      timestamp: Date.now(),
      chat_type: 'chat',
      from: 'li',
      to: 'wang',
      payload: { bodies },
    }
    writeFileSync(saved, `${JSON.stringify(line)}\nno JSON: 西湖边的旧书店\n`)
    const imported = await runChatfeed(t, ['import', saved, '--source', 'support', '-v'], {
      cwd: scene.folder,
    })
    assert.equal(imported.status, 0, imported.stderr)
    const carried = await runChatfeed(t, ['up', '--once', '-v'], { cwd: scene.folder })
    const outputs = [once, { stdout, stderr }, told, checked, imported, carried].map(
      (run) => run.stdout + run.stderr,
    )
    const printed = [...outputs, ...pages].join('\n')
    const messages = await scene.readMessages()
    const texts = messages.flatMap(({ text }) => (text && text.length > 5 ? [text] : []))
    assert.ok(texts.length > 50, String(texts.length))
    assertSilentAbout([...never, '西湖边的旧书店', 'Zebra-9', ...new Set(texts)], printed)
  })

  test('nor does one over the other interfaces', async (t) => {
    const scene = await startScene(t, {
      since: '3h',
      sources: { easemob: { mode: 'pull' }, polyv: { endpoint: 'v3-speak', channels: 'all' } },
    })
    const runs = [
      ['up', '--once', '-v'],
      ['check', '-v'],
      ['up', '--once', '-v'],
      ['status', '-v'],
    ]
    let printed = ''
    for (const words of runs) {
      const { status, stdout, stderr } = await runChatfeed(t, words, { cwd: scene.folder })
      assert.equal(status, 0, stderr)
      printed += stdout + stderr
    }
    const messages = await scene.readMessages()
    assert.deepEqual([...new Set(messages.map(({ provider }) => provider))].sort(), ['easemob', 'polyv'])
    const texts = messages.flatMap(({ text }) => (text && text.length > 5 ? [text] : []))
    assertSilentAbout([...never, ...new Set(texts)], printed)
    // Every row of these interfaces is one message of one content here, so all that was handed out is stored.
    assert.equal(scene.stored().length, scene.served().messages)
  })

  test('nor does a run in which nothing works', async (t) => {
    const scene = await startScene(t, {
      since: '4h',
      overrides: { linkLifeMs: -60_000 },
      sources: { polyv: { appSecret: 'Zebra-7-horse' } },
    })
    const live = startChatfeed(t, ['up', '-v'], { cwd: scene.folder })
    await until('the store has refused a link', () => live.stderr().includes('"state":"failed"'))
    await until('the wrong secret has stopped a source', () => live.stderr().includes('"level":50'))
    live.process.kill('SIGTERM')
    const { stdout, stderr } = await live.ended
    const told = await runChatfeed(t, ['status', '--json'], { cwd: scene.folder })
    assert.match(told.stdout, /"state":"failed"/)
    const printed = [stdout, stderr, told.stdout, told.stderr].join('\n')
    assertSilentAbout([...never, 'Zebra-7-horse'], printed)
  })
})
