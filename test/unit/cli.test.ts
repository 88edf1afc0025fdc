import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { openSink } from '../../src/sinks/index.ts'
import { silentLog } from '../../src/log.ts'
import { startChatfeed, runChatfeed, temporaryFolder } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { message } from './samples.ts'

const commands = ['up', 'import', 'status', 'tail', 'search', 'sandbox']

/** A folder with a configuration that needs no provider. */
function folderWith(t: TestContext, config: string): string {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'chatfeed.yaml'), config)
  return folder
}

suite('the command line', { concurrency: 2 }, () => {
  test('help tells every command', async (t) => {
    const { status, stdout, stderr } = await runChatfeed(t, ['--help'], { cwd: temporaryFolder(t) })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    for (const command of commands) assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'))
  })

  for (const command of commands) {
    test(`${command} --help tells its options, --config among them`, async (t) => {
      const { status, stdout } = await runChatfeed(t, [command, '--help'], { cwd: temporaryFolder(t) })
      assert.equal(status, 0)
      assert.match(stdout, /--config <FILE>/)
      assert.match(stdout, /--json/)
    })
  }

  test('the version is that of the package', async (t) => {
    const { status, stdout } = await runChatfeed(t, ['--version'], { cwd: temporaryFolder(t) })
    assert.equal(status, 0)
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  })

  for (const wrong of [
    [],
    ['fly'],
    ['up', '--nope'],
    ['import', 'file.gz'],
    ['search'],
    ['sandbox', '--port', '70000'],
  ]) {
    test(`\`chatfeed ${wrong.join(' ')}\` is bad usage: status 2, told on standard error`, async (t) => {
      const { status, stdout, stderr } = await runChatfeed(t, wrong, { cwd: temporaryFolder(t) })
      assert.equal(status, 2)
      assert.equal(stdout, '')
      assert.match(stderr, /error:|Usage:/)
      assert.doesNotMatch(stderr, /\n {4}at /, 'no stack')
    })
  }

  test('a configuration with faults is status 2, every fault on a line of its own', async (t) => {
    const cwd = folderWith(t, 'sources: [{ name: a, provider: nope }]\nhttpp: {}\ndedup: { window: x }')
    for (const command of [
      ['up', '--once'],
      ['search', 'x', '--json'],
    ]) {
      const { status, stdout, stderr } = await runChatfeed(t, command, { cwd })
      assert.equal(status, 2)
      assert.equal(stdout, '')
      assert.match(stderr, /has 3 faults:/)
      for (const path of ['sources.0.provider', 'httpp', 'dedup.window'])
        assert.ok(stderr.includes(path), path)
      assert.doesNotMatch(stderr, /\n {4}at /, 'no stack')
    }
  })

  test('a configuration file that is not there is status 2', async (t) => {
    const cwd = temporaryFolder(t)
    const { status, stderr } = await runChatfeed(t, ['status', '--config', 'nope.yaml'], { cwd })
    assert.equal(status, 2)
    assert.match(stderr, /nope\.yaml.*ENOENT/s)
  })

  test('an unknown role is status 2 before anything is started', async (t) => {
    const cwd = folderWith(t, 'sources: []')
    const { status, stderr } = await runChatfeed(t, ['up', '--only', 'sinks'], { cwd })
    assert.equal(status, 2)
    assert.match(stderr, /There is no role sinks\. Choose from ingest, dedup, enrich, sink, sink:search\./)
  })

  test('a time that is none is status 2 before anything is started', async (t) => {
    const cwd = folderWith(t, 'sources: []')
    const { status, stderr } = await runChatfeed(t, ['tail', '--from', 'yesterday'], { cwd })
    assert.equal(status, 2)
    assert.match(stderr, /^chatfeed: yesterday is no time\. Write /)
  })

  test('a search before the first start fails with the mend', async (t) => {
    const { status, stdout, stderr } = await runChatfeed(t, ['search', '退款'], { cwd: temporaryFolder(t) })
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^chatfeed: There are no messages to search .*chatfeed up/)
  })

  test('search --json prints one document of the documented shape, and the limit holds', async (t) => {
    const cwd = folderWith(t, 'sources: []\nsinks: [{ name: search, type: sqlite, path: found.db }]')
    const sink = await openSink({ name: 'search', type: 'sqlite', path: join(cwd, 'found.db') }, silentLog)
    await sink.write(0, [message, { ...message, id: 'easemob:a#b:2', sentAt: message.sentAt + 1 }], 2)
    await sink.close()
    const { status, stdout } = await runChatfeed(t, ['search', '发票', '--json', '--limit', '1'], { cwd })
    assert.equal(status, 0)
    const { total, hits } = JSON.parse(stdout) as { total: number; hits: Record<string, unknown>[] }
    assert.equal(total, 2)
    assert.equal(hits.length, 1)
    const { snippet, ...hit } = hits[0] ?? {}
    assert.match(String(snippet), /«发票»/)
    assert.deepEqual(hit, {
      id: 'easemob:a#b:2',
      sentAt: message.sentAt + 1,
      source: 'support',
      conversationId: 'li|wang',
      sender: '小李',
      text: '发票 📎.png',
      status: 'pending',
    })
    const person = await runChatfeed(t, ['search', '发票'], { cwd })
    assert.equal(person.status, 0)
    assert.match(person.stdout, /小李/)
    const nothing = await runChatfeed(t, ['search', 'zzz', '--json'], { cwd })
    assert.deepEqual(JSON.parse(nothing.stdout), { total: 0, hits: [] })
  })

  test('sandbox prints where it listens and a configuration, serves, and ends by SIGTERM', async (t) => {
    const sandbox = startChatfeed(t, ['sandbox', '--port', '0', '--json'], { cwd: temporaryFolder(t) })
    await until('the sandbox is there', () => sandbox.stdout().endsWith('\n'))
    const { sandboxes, sources } = JSON.parse(sandbox.stdout()) as {
      sandboxes: { provider: string; served: string }[]
      sources: { provider: string }[]
    }
    for (const told of [sandboxes, sources])
      assert.deepEqual(
        told.map(({ provider }) => provider),
        ['easemob', 'polyv'],
      )
    for (const { served } of sandboxes)
      assert.deepEqual(await (await fetch(served)).json(), { rows: 0, messages: 0, revisions: 0 })
    sandbox.process.kill('SIGTERM')
    const { status, stderr } = await sandbox.ended
    assert.equal(status, 0)
    assert.equal(stderr, '')
  })

  test('a port that is taken is told with the mend', async (t) => {
    const first = startChatfeed(t, ['sandbox', '--port', '0', '--json'], { cwd: temporaryFolder(t) })
    await until('the sandbox is there', () => first.stdout().endsWith('\n'))
    const [taken = ''] = /\d{4,5}(?=\/served)/.exec(first.stdout()) ?? []
    const { status, stderr } = await runChatfeed(t, ['sandbox', '--port', taken], { cwd: temporaryFolder(t) })
    assert.equal(status, 1)
    assert.match(stderr, new RegExp(`cannot listen on port ${taken} .*EADDRINUSE.* Choose another`))
  })
})
