import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import { idIn } from '../../src/framing.ts'
import { type ProcessResult, runCommandLines, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { newerProgram } from '../support/newer-program.ts'
import { startRegistry } from '../support/registry.ts'
import { type Scene, startScene } from '../support/scene.ts'

const stages = 'dedup,enrich,sink'
const carry = ['up', '--once', '--json', '--only', stages]

/** A saved file with one message, to be imported: a program's own work, which it books in the ledger. */
function savedFile({ folder }: Scene, id: string): string {
  const file = join(folder, `${id}.ndjson`)
  const body = { from: 'li', to: 'wang', bodies: [{ msg: `text of ${id}`, type: 'txt' }], ext: {} }
  const line = {
    msg_id: id,
    timestamp: 1_795_600_000_123,
    chat_type: 'chat',
    from: 'li',
    to: 'wang',
    payload: body,
  }
  writeFileSync(file, JSON.stringify(line))
  return file
}

const importing = (scene: Scene, id: string) => ['import', savedFile(scene, id), '--source', 'support']

/** Runs short commands of this program, or of another version, all of which must succeed. */
async function run(
  t: TestContext,
  scene: Scene,
  lines: string[][],
  program?: string,
): Promise<ProcessResult[]> {
  const results = await runCommandLines(t, lines, scene.folder, program)
  for (const [at, { status, stderr }] of results.entries())
    assert.equal(status, 0, `${lines[at]!.join(' ')}: ${stderr}`)
  return results
}

/** None while the sink has not made its tables yet. */
function storedIds(scene: Scene): string[] {
  if (!existsSync(join(scene.folder, 'messages.db'))) return []
  try {
    return scene.stored().map((row) => row.replace(/^.*:(.*) 1$/, '$1'))
  } catch (error) {
    if (error instanceof Error && error.message === 'no such table: messages') return []
    throw error
  }
}

const json = ({ stdout }: ProcessResult) => JSON.parse(stdout) as Record<string, unknown>

/** Changes the configuration of the scene. */
function configure({ folder }: Scene, change: object): void {
  const file = join(folder, 'chatfeed.yaml')
  writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), ...change }))
}

suite('yesterday’s program and today’s on the same topics', { concurrency: 2 }, () => {
  test('with a registry each reads what the other wrote, while both run', async (t) => {
    const registry = await startRegistry(t, { level: 'FULL' })
    const scene = await startScene(t, { registry: { url: registry.url } })
    const newer = newerProgram(t)
    await run(t, scene, [importing(scene, 'old1')])
    const running = startChatfeed(t, ['up', '--verbose', '--only', stages], { cwd: scene.folder })
    await until('the older program carries', () => storedIds(scene).includes('old1'))
    await run(t, scene, [importing(scene, 'new1')], newer)
    await until('it carries what the newer one wrote', () => storedIds(scene).length === 2)
    assert.match(running.stderr(), /registered since the start is known now/)
    await registry.close() // what is known is known
    running.process.kill('SIGTERM')
    assert.equal((await running.ended).status, 0, running.stderr())
    for (const ids of registry.subjects.values()) assert.equal(ids.length, 2)
  })

  test('with a registry the newer one goes on where the older one stopped, and the older one again', async (t) => {
    const registry = await startRegistry(t, { style: 'apicurio', path: '/apis/ccompat/v7', level: 'FULL' })
    const scene = await startScene(t, { registry: { url: registry.url } })
    const newer = newerProgram(t)
    await run(t, scene, [importing(scene, 'old1'), carry])
    await run(t, scene, [importing(scene, 'new1'), carry, importing(scene, 'new2')], newer)
    const [, , audit, dead] = await run(t, scene, [
      importing(scene, 'old2'),
      carry,
      ['audit', '--json'],
      ['dead', 'list', '--json'],
    ])
    assert.deepEqual(storedIds(scene).sort(), ['new1', 'new2', 'old1', 'old2'])
    assert.equal(json(audit!).balanced, true)
    assert.equal(json(dead!).total, 0)
    const [again] = await run(t, scene, [['audit', '--json']], newer)
    assert.equal(json(again!).balanced, true)
  })

  test('without a registry the newer one reads what the older one wrote; the older one loses nothing of the newer one', async (t) => {
    const scene = await startScene(t)
    const newer = newerProgram(t)
    await run(t, scene, [importing(scene, 'old1'), carry, importing(scene, 'old2')])
    await run(t, scene, [carry, importing(scene, 'new1')], newer)
    assert.deepEqual(storedIds(scene).sort(), ['old1', 'old2'])
    // Nobody tells the older one what the newer one's schema is.
    const dedup = ['up', '--once', '--json', '--only', 'dedup']
    const [, letters, status] = await runCommandLines(
      t,
      [dedup, ['dead', 'list', '--json'], ['status', '--json']],
      scene.folder,
    )
    assert.equal(json(letters!).total, 1)
    assert.match(letters!.stdout, /unknown_schema/)
    assert.equal(status!.status, 1)
    assert.match(status!.stderr, /a newer chatfeed: update this one/)
    const [, , audit] = await run(t, scene, [['dead', 'replay', '--all'], carry, ['audit', '--json']], newer)
    assert.deepEqual(storedIds(scene).sort(), ['new1', 'old1', 'old2'])
    assert.equal(json(audit!).balanced, true)
  })

  test('topics that began without a registry go on with one, and back; a program that lacks it says what to configure', async (t) => {
    const registry = await startRegistry(t)
    const scene = await startScene(t)
    await run(t, scene, [importing(scene, 'plain1'), carry, importing(scene, 'plain2')])
    configure(scene, { registry: { url: registry.url } })
    const [, , audit] = await run(t, scene, [importing(scene, 'framed1'), carry, ['audit', '--json']])
    assert.deepEqual(storedIds(scene).sort(), ['framed1', 'plain1', 'plain2'])
    assert.equal(json(audit!).balanced, true)
    const { brokers = [] } = scene.config.kafka
    for (const [topic, schema] of [
      [scene.topics.unique, 'raw-message'],
      [scene.topics.messages, 'message'],
    ] as const) {
      const [id] = registry.subjects.get(`${topic}-value`) ?? []
      const found = (await readCommitted(brokers, topic)).map(({ value }) => idIn(value))
      assert.deepEqual(
        found.sort(),
        [id, id, undefined],
        `${schema}: only what was written before is not framed by id`,
      )
    }
    configure(scene, { registry: undefined })
    const [tail, status] = await runCommandLines(
      t,
      [
        ['tail', 'messages'],
        ['status', '--json'],
      ],
      scene.folder,
    )
    assert.equal(tail!.stdout.match(/registry\.url/g)?.length, 2 * 2)
    assert.match(status!.stderr, /ledger, partition \d, offset \d+: .*registry\.url/)
  })
})
