import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { openObjectStore } from '../../src/object-store/index.ts'
import { runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { readFiles } from '../support/files-store.ts'
import { until } from '../support/kafka.ts'
import { startScene } from '../support/scene.ts'

test('killed in the middle of rolls, the files hold every revision once', async (t) => {
  const scene = await startScene(t, { messagesPerHour: 120, since: '8h' })
  const written = join(scene.folder, 'chatfeed.yaml')
  const path = join(scene.folder, 'lake')
  const config = parse(readFileSync(written, 'utf8')) as { sinks: unknown[] }
  // So small that it rolls all the time.
  config.sinks = [
    { name: 'lake', type: 'files', path, format: 'ndjson', rollEvery: '300ms', rollBytes: '40KB' },
  ]
  writeFileSync(written, stringify(config))
  const objects = await openObjectStore(path)
  t.after(() => objects.close())
  const files = async () => {
    let count = 0
    for await (const { key } of objects.list('provider=')) count += key ? 1 : 0
    return count
  }
  const victim = startChatfeed(t, ['up'], { cwd: scene.folder })
  await until('it writes files', async () => (await files()) >= 5)
  victim.process.kill('SIGKILL')
  await victim.ended
  const { status, stderr } = await runChatfeed(t, ['up', '--once'], { cwd: scene.folder })
  assert.equal(status, 0, stderr)
  const rows = (await readFiles(objects)).map(({ id, revision, text }) => `${id} ${revision} ${text}`)
  const messages = await scene.readMessages()
  assert.deepEqual(rows.sort(), messages.map(({ id, revision, text }) => `${id} ${revision} ${text}`).sort())
})
