import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Finding } from '../../src/finding.ts'
import { ensureTopics } from '../../src/kafka/topics.ts'
import { silentLog } from '../../src/log.ts'
import { runChatfeed } from '../support/chatfeed.ts'
import { startScene } from '../support/scene.ts'

interface Checked {
  ok: boolean
  findings: (Finding & { part: string })[]
}

suite('check', () => {
  test('a sound set-up has no fault, and nothing was made by looking at it', async (t) => {
    const scene = await startScene(t, { since: '4h' })
    const { status, stdout, stderr } = await runChatfeed(t, ['check', '--json'], { cwd: scene.folder })
    assert.equal(status, 0, stdout + stderr)
    const { ok, findings } = JSON.parse(stdout) as Checked
    assert.equal(ok, true)
    assert.deepEqual(
      findings.filter(({ level }) => level === 'fault'),
      [],
    )
    const parts = new Set(findings.map(({ part }) => part))
    for (const part of ['machine', 'kafka', 'sink search (sqlite)']) assert.ok(parts.has(part), part)
    for (const provider of ['easemob', 'polyv'])
      assert.ok([...parts].some((part) => part.startsWith('source ') && part.endsWith(`(${provider})`)))
    assert.match(
      findings.find(({ about }) => about === 'topics')?.text ?? '',
      /Not there yet, up creates them/,
    )
    assert.equal(existsSync(join(scene.folder, 'data')), false)
  })

  test('wrong secrets, a topic that breaks the promises and a taken port are found at once, each with its mend', async (t) => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await once(squatter, 'listening')
    t.after(() => squatter.close())
    const { port } = squatter.address() as { port: number }
    const scene = await startScene(t, {
      since: '4h',
      httpPort: port,
      sources: { polyv: { appSecret: 'Zebra-7-horse' }, easemob: { clientSecret: 'Zebra-8-horse' } },
    })
    const { brokers = [], topicPrefix } = scene.config.kafka
    const unique = { name: `${topicPrefix}unique`, partitions: 1, replicationFactor: null, config: {} }
    await ensureTopics({ brokers, clientId: 'check-test' }, silentLog, [unique])

    const { status, stdout } = await runChatfeed(t, ['check', '--json'], { cwd: scene.folder })
    assert.equal(status, 1)
    assert.doesNotMatch(stdout, /Zebra/)
    const { ok, findings } = JSON.parse(stdout) as Checked
    assert.equal(ok, false)
    const faults = findings.filter(({ level }) => level === 'fault')
    for (const [part, mend] of [
      ['kafka', /kafka\.partitions/],
      ['(easemob)', /clientSecret/],
      ['(polyv)', /appSecret/],
    ] as const) {
      const fault = faults.find((finding) => finding.part.includes(part))
      assert.match(fault?.mend ?? '', mend, part)
    }
    assert.match(findings.find(({ about }) => about === 'http')?.mend ?? '', /http\.port/)
  })

  test('a cluster that does not answer is a fault, and the rest is looked at all the same', async (t) => {
    const scene = await startScene(t, { since: '4h', brokers: ['127.0.0.1:1'] })
    const { status, stdout } = await runChatfeed(t, ['check'], { cwd: scene.folder })
    assert.equal(status, 1)
    assert.match(stdout, /fault +cluster: /)
    assert.match(stdout, /→ Check kafka\.brokers/)
    assert.match(stdout, /sink search/)
  })
})
