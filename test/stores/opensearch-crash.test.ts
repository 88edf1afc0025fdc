import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { newestRevisions, startScene } from '../support/scene.ts'
import { documents, searchConfig } from '../support/stores/opensearch-store.ts'
import { startOpensearch } from '../support/stores/opensearch/server.ts'

test('chatfeed and OpenSearch are killed in turn: the index holds what `messages` holds, and the audit balances', async (t) => {
  const server = await startOpensearch(t)
  const scene = await startScene(t, { messagesPerHour: 400, since: '6h' })
  const config = searchConfig({ after: () => undefined }, server.url)
  const file = join(scene.folder, 'chatfeed.yaml')
  const written = parse(readFileSync(file, 'utf8')) as { sinks: object[] }
  const { name, type, url, index } = config
  written.sinks.push({ name, type, url, index })
  writeFileSync(file, stringify(written))
  const count = async () => (await documents(config).catch(() => [])).length
  const up = () => startChatfeed(t, ['up'], { cwd: scene.folder })

  const first = up()
  await until('some are stored', async () => (await count()) > 0, 60_000)
  await server.kill()
  await until('it says so', () => first.stderr().includes('cannot be reached'))
  await server.start()
  first.process.kill('SIGKILL')
  await first.ended

  const second = up()
  await until('more are read', () => scene.served().messages > 0)
  await server.kill()
  second.process.kill('SIGKILL')
  await Promise.all([second.ended, server.start()])

  const { status, stderr } = await runChatfeed(t, ['up', '--once'], { cwd: scene.folder })
  assert.equal(status, 0, stderr)
  const messages = await scene.readMessages()
  const found = (await documents(config)).map(({ _id, _version }) => `${_id} ${_version}`).sort()
  assert.ok(found.length > 0 && found.length === scene.served().messages)
  assert.deepEqual(found, newestRevisions(messages))
  assert.deepEqual(scene.stored(), found)
  const audit = await runChatfeed(t, ['audit', '--json'], { cwd: scene.folder })
  const report = JSON.parse(audit.stdout) as { balanced: boolean; problems: unknown[] }
  assert.deepEqual([report.balanced, report.problems, audit.status], [true, [], 0])
})
