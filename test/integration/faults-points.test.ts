import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { assertBalanced } from '../support/balance.ts'
import { type ChatfeedProcess, startChatfeed } from '../support/chatfeed.ts'
import type { FaultPoint } from '../support/fault-points.ts'
import { until } from '../support/kafka.ts'
import { startScene } from '../support/scene.ts'

/** Two processes share the work, one is killed at the first point, the other one at the second. */
const pairs: [FaultPoint, FaultPoint][] = [
  ['after-fetch', 'before-ledger'],
  ['after-send', 'after-send-offsets'],
  ['before-commit', 'after-sink-commit'],
  ['during-commit', 'during-ledger-commit'],
  ['after-commit', 'during-sink-transaction'],
  ['during-commit', 'after-ledger'],
]
/**
 * A process dies when it comes to its point for the first time, the one after the first of a pair at the second time.
 * One that is at work and does not come there in this time has nothing left to do: the other one was quicker.
 */
const [first, second] = [
  { count: 1, patienceMs: 30_000 },
  { count: 2, patienceMs: 4_000 },
]

suite('killed at every step, nothing is lost and nothing comes twice:', { concurrency: 2 }, () => {
  for (const pair of pairs) {
    test(pair.join(' and '), async (t) => {
      const scene = await startScene(t, { messagesPerHour: 60, since: '16h' })
      const kills = await Promise.all(
        pair.map(async (point, place) => {
          let reached = 0
          for (const { count, patienceMs } of place === 0 ? [first, second] : [first]) {
            const env = { CHATFEED_TEST_FAULT: point, CHATFEED_TEST_FAULT_COUNT: String(count) }
            const options = { cwd: scene.folder, preload: 'fault-points.ts', env }
            const chatfeed = startChatfeed(t, ['up'], options)
            void killIdle(chatfeed, patienceMs)
            if (await diesAt(point, chatfeed)) reached++
          }
          return reached
        }),
      )
      t.diagnostic(`killed there ${kills.join(' and ')} times`)
      for (const [n, reached] of kills.entries()) assert.ok(reached > 0, `no process came to ${pair[n]}`)
      await assertBalanced(scene)
    })
  }
})

/** Whether the process died at its point; one that did not come there must have been killed. */
async function diesAt(point: FaultPoint, { process, ended }: ChatfeedProcess): Promise<boolean> {
  const { stderr } = await ended
  assert.equal(process.signalCode, 'SIGKILL', stderr)
  return stderr.includes(`killed at ${point}`)
}

async function killIdle(chatfeed: ChatfeedProcess, patienceMs: number): Promise<void> {
  const { process } = chatfeed
  const isAtWork = () => chatfeed.stderr().includes('joined the group')
  await until('it is at work', () => process.signalCode !== null || isAtWork(), 60_000)
  await delay(patienceMs, undefined, { ref: false })
  process.kill('SIGKILL')
}
