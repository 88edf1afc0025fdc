import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startCluster } from '../support/cluster.ts'
import { startFlow } from '../support/flow.ts'
import { kafkaAt, until } from '../support/kafka.ts'
import { apiKeys, type Proxy } from '../support/proxy.ts'
import { keysWithRepeats } from '../support/stage.ts'

/** Drops the first and every third answer to one request, and counts them. */
function dropAnswers(proxy: Proxy, apiKey: number): () => number {
  let asked = 0
  let dropped = 0
  proxy.drops = (key) => {
    if (key !== apiKey || asked++ % 3 > 0) return false
    dropped++
    return true
  }
  return () => dropped
}

test('each record comes once through a network with faults:', async (t) => {
  const cluster = await startCluster(t, { proxied: true })
  const { proxy } = cluster.brokers[0]!
  assert.ok(proxy)

  for (const [name, apiKey] of Object.entries(apiKeys)) {
    await t.test(`answers to ${name} are lost`, async (t) => {
      const { write, assertOnce } = await startFlow(t, kafkaAt(t, cluster.proxied), {
        witness: cluster.addresses,
      })
      const dropped = dropAnswers(proxy, apiKey)
      const { keys, distinct } = keysWithRepeats(2_000)
      await write(keys)
      await assertOnce(keys, distinct)
      proxy.drops = () => false
      t.diagnostic(`${dropped()} answers dropped`)
      assert.ok(dropped() > 0)
    })
  }

  await t.test('it is slow, and cut for a moment and for some seconds', async (t) => {
    const { write, stored, assertOnce } = await startFlow(t, kafkaAt(t, cluster.proxied), {
      witness: cluster.addresses,
    })
    const moreThan = (before: number) => () => stored() > before
    const { keys, distinct } = keysWithRepeats(3_000)
    proxy.delayMs = 20
    let isWritten = false
    const writing = write(keys).then(() => {
      isWritten = true
    })
    for (const cutMs of [100, 3_000]) {
      await until('more is stored', moreThan(stored()))
      assert.ok(!isWritten, 'there is more to write when the network is cut')
      proxy.cut()
      await delay(cutMs)
      assert.ok(!isWritten, 'nothing is written without a network')
      proxy.heal()
    }
    proxy.delayMs = 0
    await writing
    await assertOnce(keys, distinct)
  })
})
