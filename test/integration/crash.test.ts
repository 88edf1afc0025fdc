import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { OnceSummary } from '../../src/app/once.ts'
import { type ChatfeedProcess, runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { newestRevisions, repeated, startScene } from '../support/scene.ts'

const kills = 10

/** Resolves when a process has taken its first partitions. */
const atWork = (chatfeed: ChatfeedProcess) =>
  until('a process joins its groups', () => chatfeed.stderr().includes('joined the group'))

test('killed ten times at random moments, nothing is lost and nothing comes twice', async (t) => {
  const scene = await startScene(t, { messagesPerHour: 200 })
  const moments: number[] = []
  const running: ChatfeedProcess[] = []
  for (let round = 0; round < kills; round++) {
    // In the second half two processes share the work: what one leaves behind, the other takes over.
    const wanted = round < kills / 2 ? 1 : 2
    while (running.length < wanted) running.push(startChatfeed(t, ['up'], { cwd: scene.folder }))
    await Promise.all(running.map(atWork))
    const afterMs = Math.round(1_500 * Math.random())
    moments.push(afterMs)
    await delay(afterMs)
    const [victim] = running.splice(Math.floor(Math.random() * running.length), 1)
    assert.equal(victim?.process.exitCode, null, `it was running until then: ${victim?.stderr() ?? ''}`)
    victim.process.kill('SIGKILL')
    await victim.ended
  }
  for (const { process, ended } of running) {
    process.kill('SIGKILL')
    await ended
  }
  t.diagnostic(`killed after ${moments.join(', ')} ms; ${scene.served().rows} rows handed out by then`)
  assert.ok(scene.served().rows > 0, 'there was work to interrupt')

  const { status, stdout, stderr } = await runChatfeed(t, ['up', '--once', '--json'], { cwd: scene.folder })
  assert.equal(status, 0, stderr)
  const served = scene.served()
  assert.deepEqual((JSON.parse(stdout) as OnceSummary).sinks, [{ name: 'search', rows: served.messages }])

  const [unique, messages] = [await scene.readUnique(), await scene.readMessages()]
  for (const records of [unique, messages]) {
    const revisions = records.map(({ id, revision }) => `${id} ${revision}`)
    assert.deepEqual(repeated(revisions), [])
    assert.equal(revisions.length, served.revisions)
    assert.equal(new Set(records.map(({ id }) => id)).size, served.messages)
  }
  assert.deepEqual(scene.stored(), newestRevisions(messages))
})
