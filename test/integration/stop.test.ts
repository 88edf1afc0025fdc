import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startChatfeed } from '../support/chatfeed.ts'
import { testKafka, until } from '../support/kafka.ts'

/** A configuration folder whose one source never gets an answer. */
async function silentProvider(
  t: TestContext,
  brokers: readonly string[],
): Promise<{ folder: string; asked: () => boolean }> {
  let asked = false
  const server: Server = createServer(() => {
    asked = true
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'stop-'))
  const config = {
    kafka: { brokers, topicPrefix: `stop${Date.now()}.`, partitions: 2 },
    http: { port: 0 },
    sources: [
      {
        name: 'live',
        provider: 'polyv',
        baseUrl: `http://127.0.0.1:${port}`,
        appId: 'a',
        appSecret: 's',
        channels: ['1'],
      },
    ],
    sinks: [{ name: 'search', type: 'sqlite', path: 'm.db' }],
  }
  writeFileSync(join(folder, 'chatfeed.yaml'), JSON.stringify(config))
  return { folder, asked: () => asked }
}

for (const [what, parameters] of [
  ['a once run', ['up', '--once']],
  ['a live run', ['up']],
] as const) {
  test(`${what} that waits for a provider ends within ten seconds of SIGTERM`, async (t) => {
    const { kafka } = testKafka(t)
    const { folder, asked } = await silentProvider(t, kafka.brokers)
    const run = startChatfeed(t, parameters, { cwd: folder })
    await until('the provider is asked', asked)
    const stoppedAt = Date.now()
    run.process.kill('SIGTERM')
    const { status, stderr } = await run.ended
    assert.ok(Date.now() - stoppedAt < 10_000, stderr)
    assert.equal(status, parameters.length === 2 ? 1 : 0, stderr)
  })
}

test('a signal that arrives twice at once is one, and what is under way is finished', async (t) => {
  const { kafka } = testKafka(t)
  const { folder, asked } = await silentProvider(t, kafka.brokers)
  const run = startChatfeed(t, ['up'], { cwd: folder })
  await until('the provider is asked', asked)
  run.process.kill('SIGTERM')
  run.process.kill('SIGINT')
  const { status, stderr } = await run.ended
  assert.equal(status, 0, stderr)
})

test('a live run that still waits for Kafka ends well when it is asked to', async (t) => {
  const { folder } = await silentProvider(t, ['127.0.0.1:1'])
  const run = startChatfeed(t, ['up'], { cwd: folder })
  await until('it says that it waits', () => run.stderr().includes('waiting for Kafka at 127.0.0.1:1'))
  run.process.kill('SIGTERM')
  const { status, stderr } = await run.ended
  assert.equal(status, 0, stderr)
  assert.doesNotMatch(stderr, /chatfeed: /)
})
