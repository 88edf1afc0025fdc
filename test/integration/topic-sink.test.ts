import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { configFrom } from '../../src/config/config.ts'
import type { Message } from '../../src/model.ts'
import { silentLog } from '../../src/log.ts'
import { ensureTopics } from '../../src/kafka/topics.ts'
import { runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { runRoles } from '../support/run-once.ts'
import { type Scene, startScene } from '../support/scene.ts'

/** Gives the configuration of a scene other sinks, in its file as well. */
function withSinks(scene: Scene, sinks: readonly Record<string, unknown>[]): Scene {
  const file = join(scene.folder, 'chatfeed.yaml')
  const written = { ...(parse(readFileSync(file, 'utf8')) as object), sinks }
  writeFileSync(file, stringify(written))
  return { ...scene, config: configFrom(written) }
}

const jsonOf = async (brokers: readonly string[], topic: string) =>
  (await readCommitted(brokers, topic)).map(({ key, partition, value }) => ({
    key,
    partition,
    message: JSON.parse(value.toString()) as Message & { data: unknown },
  }))

const named = (messages: readonly { id: string; revision: number }[]) =>
  messages.map(({ id, revision }) => `${id} ${revision}`).sort()

suite('a topic sink', { concurrency: 2 }, () => {
  test('writes every message it takes as JSON, once, though its process is killed', async (t) => {
    const made = await startScene(t, { since: '20h', messagesPerHour: 100 })
    const topic = `${made.config.kafka.topicPrefix}json`
    const scene = withSinks(made, [{ name: 'json', type: 'topic', topic }])
    const brokers = scene.config.kafka.brokers ?? []
    await runRoles(scene.config, 'ingest,dedup,enrich')
    const all = await scene.readMessages()
    for (let kill = 0; kill < 3; kill++) {
      const chatfeed = startChatfeed(t, ['up', '--only', 'sink:json'], { cwd: scene.folder })
      await until('it works', () => chatfeed.stderr().includes('joined the group'))
      // In the middle of a transaction more often than not.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 120))
      chatfeed.process.kill('SIGKILL')
      await chatfeed.ended
    }
    const { sinks } = await runRoles(scene.config, 'sink')
    assert.deepEqual(sinks, [{ name: 'json', rows: null }])
    const written = await jsonOf(brokers, topic)
    assert.deepEqual(named(written.map(({ message }) => message)), named(all))
    for (const { key, message } of written) assert.equal(key, message.id)
    const one = written.find(({ message }) => message.data !== null)?.message
    const original = all.find(({ id, revision }) => id === one?.id && revision === one.revision)
    assert.deepEqual(one?.data, JSON.parse(original?.data ?? ''))
    const audit = await runChatfeed(t, ['audit', '--json'], { cwd: scene.folder })
    assert.equal(audit.status, 0, audit.stdout + audit.stderr)
    const check = await runChatfeed(t, ['check', '--json'], { cwd: scene.folder })
    assert.doesNotMatch(check.stdout, /"level":"fault"/)
  })

  test('leaves out what its filter leaves out, and refuses a topic with too few partitions', async (t) => {
    const made = await startScene(t, { since: '4h' })
    const { topicPrefix, brokers = [] } = made.config.kafka
    const narrow = { name: `${topicPrefix}narrow`, partitions: 1, replicationFactor: null, config: {} }
    const wide = { ...narrow, name: `${topicPrefix}wide`, partitions: 5 }
    await ensureTopics({ brokers, clientId: 'topic-test' }, silentLog, [narrow, wide])
    const images = { name: 'images', type: 'topic', topic: wide.name, where: { kind: 'image' } }
    const scene = withSinks(made, [images])
    await runRoles(scene.config)
    const written = await jsonOf(brokers, wide.name)
    const wanted = (await scene.readMessages()).filter(({ kind }) => kind === 'image')
    assert.ok(wanted.length > 0)
    assert.deepEqual(named(written.map(({ message }) => message)), named(wanted))

    withSinks(made, [{ name: 'json', type: 'topic', topic: narrow.name }])
    const { status, stderr } = await runChatfeed(t, ['up', '--once'], { cwd: scene.folder })
    assert.equal(status, 1)
    assert.match(stderr, /narrow has 1 and should have 3.*let the sink write another topic/)
    const { stdout } = await runChatfeed(t, ['check'], { cwd: scene.folder })
    assert.match(stdout, /narrow: It has 1 partition, fewer than kafka\.partitions/)
  })
})
