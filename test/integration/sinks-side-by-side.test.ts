import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPipeline } from '../../src/app/pipeline.ts'
import { parseRoles } from '../../src/app/roles.ts'
import { openRuntime } from '../../src/app/runtime.ts'
import { silentLog } from '../../src/log.ts'
import { until } from '../support/kafka.ts'
import { newestRevisions, startScene } from '../support/scene.ts'
import { WebhookReceiver } from '../support/webhook-receiver.ts'

test('a sink whose receiver is slow or dead holds up no other, and goes on when it is back', async (t) => {
  const scene = await startScene(t, { since: '3h' })
  const receiver = await WebhookReceiver.start(t)
  const { url, secret } = receiver
  const hook = { name: 'hook', type: 'webhook', url, secret, batch: 100, timeout: 300 } as const
  const config = { ...scene.config, sinks: [...scene.config.sinks, hook] }
  let isDead = true
  receiver.answer = () => (isDead ? new Promise(() => undefined) : 204)
  const runtime = await openRuntime({ config, log: silentLog })
  t.after(() => runtime.close())
  const pipeline = await startPipeline(runtime, parseRoles(undefined, config), true)
  t.after(() => pipeline.stop())
  const { messages } = await pipeline.ingest!.finished().then(() => scene.served())
  await until('the other sink has all', () => scene.stored().length === messages, 90_000)
  assert.equal(receiver.stored.size, 0)
  await until('it says so', () => pipeline.troubles().some((text) => /^sink:hook: .*in time/.test(text)))
  isDead = false
  await until('the webhook has all', () => receiver.stored.size === messages, 90_000)
  const stored = [...receiver.stored.values()].map(({ id, revision }) => `${id} ${revision}`).sort()
  assert.deepEqual(stored, newestRevisions(await scene.readMessages()))
})
