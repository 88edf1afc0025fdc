import assert from 'node:assert/strict'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type OnceSummary, runOnce } from '../../src/app/once.ts'
import { startPipeline } from '../../src/app/pipeline.ts'
import { parseRoles } from '../../src/app/roles.ts'
import { openRuntime } from '../../src/app/runtime.ts'
import type { Status } from '../../src/app/status.ts'
import type { Config } from '../../src/config/config.ts'
import { silentLog } from '../../src/log.ts'
import { runChatfeed, runCommandLines } from '../support/chatfeed.ts'
import { newestRevisions, repeated, startScene } from '../support/scene.ts'

/** A whole `once` run of all roles in this process. */
async function runAll(config: Config): Promise<OnceSummary> {
  const runtime = await openRuntime({ config, log: silentLog })
  const pipeline = await startPipeline(runtime, parseRoles(undefined, config), true)
  try {
    return await Promise.race([runOnce(runtime, pipeline, AbortSignal.timeout(60_000)), pipeline.failed])
  } finally {
    await pipeline.stop()
    await runtime.close()
  }
}

const lines = (text = ''): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const easemobLine = (id: string, text: string): string =>
  JSON.stringify({
    msg_id: id,
    timestamp: 1_795_600_000_123,
    direction: 'outgoing',
    chat_type: 'chat',
    from: 'li',
    to: 'wang',
    payload: { ext: {}, bodies: [{ msg: text, type: 'txt' }], from: 'li', to: 'wang' },
  })

const polyvPage = (status: string): string =>
  JSON.stringify({
    code: 200,
    status: 'success',
    message: '',
    data: [
      {
        id: '5f0e2a10-1111-11f0-9abc-0123456789ab',
        content: '今晚八点的海豚课还开吗',
        time: 1_795_600_000_123,
        msgType: 'speak',
        roomId: '2477096',
        sessionId: '',
        status,
        user: { nick: '小周', userId: 'u1', userType: 'student', channelId: '2477096' },
      },
    ],
  })

suite('the whole way of a message', () => {
  test('once, again, and with saved files: everything arrives, nothing twice', async (t) => {
    const scene = await startScene(t, { lookAgain: ['1ms'] })
    const run = (...parameters: string[]) => runChatfeed(t, parameters, { cwd: scene.folder })

    const first = await runAll(scene.config)
    assert.deepEqual(
      first.sources
        .map(({ name, stopped }) => ({ name, stopped }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: 'live', stopped: null },
        { name: 'support', stopped: null },
      ],
    )
    assert.equal(first.ok, true)
    const served = scene.served()
    assert.ok(served.messages > 100)
    assert.deepEqual(first.sinks, [{ name: 'search', rows: served.messages }])

    await t.test('a second look at every unit adds nothing', async () => {
      const again = await runAll(scene.config)
      assert.ok(scene.served().rows > 1.9 * served.rows, 'the units were read again')
      assert.equal(scene.served().revisions, served.revisions)
      assert.ok(again.sources.every(({ units }) => units > 0))
      assert.deepEqual(again.sinks, first.sinks)
    })

    await t.test('a bad line in a saved file ends in dead, its neighbours pass', async () => {
      const file = join(scene.folder, 'saved.gz')
      const text = [
        easemobLine('1', 'before the bad line'),
        '{"msg_id": 2, oops',
        easemobLine('3', 'after it'),
      ]
      writeFileSync(file, gzipSync(text.join('\n')))
      const imported = await run('import', file, '--source', 'support', '--json')
      assert.equal(imported.status, 0, imported.stderr)
      const { files } = JSON.parse(imported.stdout) as { files: { lines: number }[] }
      assert.deepEqual(
        files.map(({ lines: count }) => count),
        [3],
      )
    })

    await t.test(
      'a message imported in two states has two revisions, and an older copy changes nothing',
      async () => {
        const files = ['pass', 'delete'].map((status) => {
          const file = join(scene.folder, `${status}.json`)
          writeFileSync(file, polyvPage(status))
          return file
        })
        // Fetched before the others and imported after them: stale, whatever it says.
        const old = join(scene.folder, 'old.json')
        writeFileSync(old, polyvPage('censor'))
        utimesSync(old, 1_700_000_000, 1_700_000_000)
        const { status, stderr } = await run('import', ...files, old, '--source', 'live')
        assert.equal(status, 0, stderr)
        const up = await run('up', '--once', '--only', 'dedup,enrich,sink', '--json')
        assert.equal(up.status, 0, up.stderr)
        const { sinks, ok } = JSON.parse(up.stdout) as OnceSummary
        assert.equal(ok, true)
        assert.deepEqual(sinks, [{ name: 'search', rows: served.messages + 3 }])
      },
    )

    const shown = await runCommandLines(
      t,
      [
        ['tail', 'dead'],
        ['tail', '--where', 'conversation.id=li|wang', '--where', 'kind=text'],
        ['tail', 'raw.easemob', '--where', 'origin=import/saved.gz#1'],
        ['tail', 'ledger', '--where', 'unit=import/saved.gz'],
        ['tail', 'nonsense'],
        ['search', '海豚', '--json'],
        ['status', '--json'],
        ['status'],
      ],
      scene.folder,
    )
    assert.deepEqual(
      shown.map(({ status }) => status),
      [0, 0, 0, 0, 2, 0, 0, 0],
    )
    const [dead, talk, raw, ledger, , search, statusJson, statusText] = shown.map(({ stdout }) => stdout)

    await t.test('tail shows the dead letter with its origin and reason', () => {
      const letters = lines(dead)
      assert.equal(letters.length, 1)
      const [letter] = letters
      assert.deepEqual(
        [letter?.origin, letter?.stage, letter?.payload, letter?.topic],
        ['import/saved.gz#2', 'enrich', '{"msg_id": 2, oops', scene.topics.unique],
      )
      assert.match(String(letter?.id), /^easemob:.*:import\/saved\.gz#2$/)
      assert.ok(letter?.reason && letter.code)
    })

    await t.test('tail finds records of every topic by a field, inside others too', () => {
      assert.deepEqual(
        lines(talk)
          .map(({ text }) => text)
          .sort(),
        ['after it', 'before the bad line'],
      )
      assert.deepEqual(
        lines(raw).map(({ payload, revision }) => ({ payload, revision })),
        [{ payload: easemobLine('1', 'before the bad line'), revision: 0 }],
      )
      assert.deepEqual(
        lines(ledger).map(({ state, lines: count }) => ({ state, count })),
        [{ state: 'published', count: 3 }],
      )
    })

    await t.test('search finds Chinese words, and a message deleted later says so', () => {
      const { total, hits } = JSON.parse(search ?? '') as {
        total: number
        hits: { text: string; status: string; sender: string }[]
      }
      assert.equal(total, 1)
      assert.deepEqual(
        hits.map(({ text, status, sender }) => ({ text, status, sender })),
        [{ text: '今晚八点的海豚课还开吗', status: 'deleted', sender: '小周' }],
      )
    })

    await t.test('status --json has the documented shape, and nothing is behind', () => {
      const status = JSON.parse(statusJson ?? '') as Status
      assert.deepEqual(Object.keys(status), ['sources', 'groups', 'sinks', 'dead'])
      assert.deepEqual(
        status.sources.map(({ name, provider, unread }) => ({ name, provider, unread })),
        [
          { name: 'support', provider: 'easemob', unread: [] },
          { name: 'live', provider: 'polyv', unread: [] },
        ],
      )
      const units = status.sources.flatMap((source) => source.units)
      for (const unit of units) {
        assert.deepEqual(Object.keys(unit).sort(), [
          'attempts',
          'bytes',
          'deadline',
          'lines',
          'nextLookAt',
          'reason',
          'state',
          'unit',
        ])
      }
      assert.ok(units.some(({ unit, lines: count }) => unit === 'import/saved.gz' && count === 3))
      const done = units.filter(({ state }) => state === 'published' || state === 'empty')
      assert.ok(done.length > 24 * 3)
      assert.deepEqual(
        status.groups.map(({ group, lag }) => ({ group, lag })),
        ['dedup', 'dedup', 'enrich', 'sink.search'].map((name) => ({
          group: scene.topics.group(name),
          lag: 0,
        })),
      )
      assert.deepEqual(status.sinks, [{ name: 'search', type: 'sqlite', lag: 0, rows: served.messages + 3 }])
      assert.deepEqual(status.dead, { count: 1 })
      assert.match(statusText ?? '', /^dead letters: 1$/m)
    })

    await t.test('an independent read_committed consumer sees each revision once', async () => {
      const [unique, messages] = [await scene.readUnique(), await scene.readMessages()]
      // Two imported Easemob messages, a Polyv message twice; in unique also the line that is dead.
      assert.equal(messages.length, served.revisions + 4)
      assert.equal(unique.length, served.revisions + 5)
      const contents = unique.map(
        ({ id, fingerprint }) => `${id} ${Buffer.from(fingerprint).toString('hex')}`,
      )
      assert.deepEqual(repeated(contents), [])
      const revisions = messages.map(({ id, revision }) => `${id} ${revision}`)
      assert.deepEqual(repeated(revisions), [])
      assert.deepEqual(newestRevisions(messages), scene.stored())
      assert.deepEqual(
        messages.filter(({ revision }) => revision > 1).map(({ text, status }) => ({ text, status })),
        [{ text: '今晚八点的海豚课还开吗', status: 'deleted' }],
      )
    })
  })

  test('roles in processes of their own, two of each stage, share the work', async (t) => {
    const scene = await startScene(t, { messagesPerHour: 20, since: '8h' })
    const run = async (only: string) => {
      const parameters = ['up', '--once', '--json', '--only', only]
      const { status, stdout, stderr } = await runChatfeed(t, parameters, { cwd: scene.folder })
      assert.equal(status, 0, stderr)
      return JSON.parse(stdout) as OnceSummary
    }
    await run('ingest')
    const { messages } = scene.served()
    await Promise.all(['dedup', 'dedup'].map(run))
    await Promise.all(['enrich', 'enrich'].map(run))
    const [one, other] = await Promise.all(['sink', 'sink:search'].map(run))
    assert.equal(Math.max(one?.sinks[0]?.rows ?? 0, other?.sinks[0]?.rows ?? 0), messages)
    assert.equal(scene.stored().length, messages)
    const revisions = (await scene.readMessages()).map(({ id, revision }) => `${id} ${revision}`)
    assert.equal(revisions.length, scene.served().revisions)
    assert.deepEqual(repeated(revisions), [])
  })
})
