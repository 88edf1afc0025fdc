import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assertBalanced } from '../support/balance.ts'
import { type ChatfeedProcess, startChatfeed } from '../support/chatfeed.ts'
import type { FaultPoint } from '../support/fault-points.ts'
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
/** The first process dies when it comes to its point for the first time, the one after it at the second time. */
const passes = [1, 2]
/** A process that does not come to its point in this time has nothing left to do there. */
const patienceMs = 15_000

suite('killed at every step, nothing is lost and nothing comes twice:', { concurrency: 2 }, () => {
  for (const pair of pairs) {
    test(pair.join(' and '), async (t) => {
      const scene = await startScene(t, { messagesPerHour: 60, since: '16h' })
      const kills = await Promise.all(
        pair.map(async (point) => {
          let reached = 0
          for (const count of passes) {
            const env = { CHATFEED_TEST_FAULT: point, CHATFEED_TEST_FAULT_COUNT: String(count) }
            const options = { cwd: scene.folder, preload: 'fault-points.ts', env }
            if (await diesAt(point, startChatfeed(t, ['up'], options))) reached++
          }
          return reached
        }),
      )
      t.diagnostic(`killed there ${kills.join(' and ')} times`)
      for (const [n, reached] of kills.entries()) assert.ok(reached > 0, `no process came to ${pair[n]}`)
      await assertBalanced(t, scene)
    })
  }
})

/** Whether the process died at its point; one that does not come there is killed for want of work. */
async function diesAt(point: FaultPoint, { process, ended }: ChatfeedProcess): Promise<boolean> {
  const timer = setTimeout(() => process.kill('SIGKILL'), patienceMs)
  const { stderr } = await ended
  clearTimeout(timer)
  assert.equal(process.signalCode, 'SIGKILL', stderr)
  return stderr.includes(`killed at ${point}`)
}
