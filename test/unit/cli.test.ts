import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { openSink } from '../../src/sinks/index.ts'
import { runChatfeed, runCommandLines, startChatfeed, temporaryFolder } from '../support/chatfeed.ts'
import { messageSet } from '../support/message-set.ts'
import { sinkContext } from '../support/sink-context.ts'
import { until } from '../support/kafka.ts'
import { message } from './samples.ts'

const commands = ['up', 'import', 'status', 'audit', 'tail', 'search', 'sandbox']

/** A folder with a configuration that needs no provider. */
function folderWith(t: TestContext, config: string): string {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'chatfeed.yaml'), config)
  return folder
}

suite('the command line', { concurrency: 2 }, () => {
  test('help tells every command, and every command its options, --config and --json among them', async (t) => {
    const [help, ...each] = await runCommandLines(
      t,
      [['--help'], ...commands.map((command) => [command, '--help'])],
      temporaryFolder(t),
    )
    assert.deepEqual([help?.status, help?.stderr], [0, ''])
    for (const [at, command] of commands.entries()) {
      assert.match(help?.stdout ?? '', new RegExp(`^ {2}${command} `, 'm'))
      assert.equal(each[at]?.status, 0)
      assert.match(each[at].stdout, new RegExp(`^Usage: chatfeed ${command} `))
      assert.match(each[at].stdout, /--config <FILE>/)
      assert.match(each[at].stdout, /--json/)
    }
  })

  test('bad usage is status 2, told on standard error without a stack', async (t) => {
    const wrong = [
      [],
      ['fly'],
      ['up', '--nope'],
      ['up', 'extra'],
      ['import', 'file.gz'],
      ['search'],
      ['search', 'x', '--limit', '0'],
      ['sandbox', '--port', '70000'],
      ['tail', '--where', 'kind'],
      ['tail', '--from', 'yesterday'],
      ['tail', '--from', '1'],
      ['tail', '--from', '2026-11-23T10:00:00'],
    ]
    const results = await runCommandLines(t, wrong, temporaryFolder(t))
    for (const [at, words] of wrong.entries()) {
      const { status, stdout, stderr } = results[at] ?? assert.fail()
      assert.equal(status, 2, words.join(' '))
      assert.equal(stdout, '', words.join(' '))
      assert.match(stderr, /error:|Usage:|is no time\. Write /, words.join(' '))
      assert.doesNotMatch(stderr, /\n {4}at /, words.join(' '))
    }
  })

  test('the exit status of a process is that of its command line', async (t) => {
    const cwd = temporaryFolder(t)
    const version = await runChatfeed(t, ['--version'], { cwd })
    assert.equal(version.status, 0)
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
    assert.equal((await runChatfeed(t, ['fly'], { cwd })).status, 2)
  })

  test('faults of the configuration are status 2, each on a line of its own', async (t) => {
    const cwd = folderWith(t, 'sources: [{ name: a, provider: nope }]\nhttpp: {}\ndedup: { window: x }')
    const results = await runCommandLines(
      t,
      [['up', '--once'], ['search', 'x', '--json'], ['status', '--json'], ['tail']],
      cwd,
    )
    for (const { status, stdout, stderr } of results) {
      assert.equal(status, 2)
      assert.equal(stdout, '')
      assert.match(stderr, /has 3 faults:/)
      for (const path of ['sources.0.provider', 'httpp', 'dedup.window'])
        assert.ok(stderr.includes(path), path)
      assert.doesNotMatch(stderr, /\n {4}at /, 'no stack')
    }
  })

  test('a file that is not there and a role that is none are status 2 before anything is started', async (t) => {
    const cwd = folderWith(t, 'sources: []')
    const [file, role] = await runCommandLines(
      t,
      [
        ['status', '--config', 'nope.yaml'],
        ['up', '--only', 'sinks'],
      ],
      cwd,
    )
    assert.equal(file?.status, 2)
    assert.match(file.stderr, /nope\.yaml.*ENOENT/s)
    assert.equal(role?.status, 2)
    assert.match(
      role.stderr,
      /There is no role sinks\. Choose from ingest, dedup, enrich, sink, sink:search\./,
    )
  })

  test('a search before the first start fails with the mend', async (t) => {
    const { status, stdout, stderr } = await runChatfeed(t, ['search', '退款'], { cwd: temporaryFolder(t) })
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^chatfeed: There are no messages to search .*chatfeed up/)
  })

  test('search --json prints one document of the documented shape, and the limit holds', async (t) => {
    const cwd = folderWith(t, 'sources: []\nsinks: [{ name: search, type: sqlite, path: found.db }]')
    const sink = await openSink(
      { name: 'search', type: 'sqlite', path: join(cwd, 'found.db') },
      sinkContext('cluster/messages'),
    )
    await sink.write(
      messageSet(0, [message, { ...message, id: 'easemob:a#b:2', sentAt: message.sentAt + 1 }], 2),
    )
    await sink.close()
    const [one, person, nothing] = await runCommandLines(
      t,
      [
        ['search', '发票', '--json', '--limit', '1'],
        ['search', '发票'],
        ['search', 'zzz', '--json'],
      ],
      cwd,
    )
    assert.equal(one?.status, 0)
    const { total, hits } = JSON.parse(one.stdout) as { total: number; hits: Record<string, unknown>[] }
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
    assert.equal(person?.status, 0)
    assert.match(person.stdout, /小李/)
    assert.deepEqual(JSON.parse(nothing?.stdout ?? ''), { total: 0, hits: [] })
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
