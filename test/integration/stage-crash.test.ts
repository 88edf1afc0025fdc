import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { KafkaConnection } from '../../src/kafka/wire.ts'
import { testKafka, until } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { keysWithRepeats, writeKeys } from '../support/stage.ts'

const partitions = 4
const kills = 12
const share = 5_000

test('each key comes out once, though the processes of the stage are killed at any moment', async (t) => {
  const kafka = testKafka(t)
  const [input, output] = [await kafka.topic('in', partitions), await kafka.topic('out', partitions)]
  const { brokers } = kafka.kafka
  const start = () => startStage(t, [brokers.join(','), kafka.group('stage'), input, output])
  const stages = [start(), start()]
  const { keys, distinct } = keysWithRepeats(kills * share)

  for (let kill = 0; kill < kills; kill++) {
    const writing = trickle(kafka.kafka, input, keys.slice(kill * share, (kill + 1) * share))
    const stage = stages[kill % 2]!
    // Killed at work for the most part: in the middle of a transaction, a restore or a join; sometimes before.
    if (kill % 3 > 0) await Promise.race([once(stage.stdout!, 'data'), delay(5_000, null, { ref: false })])
    await delay(Math.random() * 500)
    stage.kill('SIGKILL')
    await once(stage, 'exit')
    stages[kill % 2] = start()
    await writing
  }
  await until(
    'the output holds every key',
    async () => (await readCommitted(brokers, output)).length >= distinct.length,
    40_000,
  )

  for (const stage of stages) {
    stage.stdin?.end()
    assert.deepEqual(await once(stage, 'exit'), [0, null])
  }
  const found = await readCommitted(brokers, output)
  assert.equal(found.length, distinct.length)
  assert.deepEqual(found.map(({ key }) => key).sort(), distinct.toSorted())
})

/** Writes in small portions, so that there is work to be interrupted for a while. */
async function trickle(kafka: KafkaConnection, topic: string, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 250) await writeKeys(kafka, topic, keys.slice(at, at + 250))
}

function startStage(t: TestContext, args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL('../support/stage-process.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdout.resume()
  t.after(() => child.kill('SIGKILL'))
  return child
}
