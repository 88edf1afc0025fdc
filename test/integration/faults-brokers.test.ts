import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startCluster } from '../support/cluster.ts'
import { type Flow, startFlow, underLoad } from '../support/flow.ts'
import { kafkaAt, until } from '../support/kafka.ts'
import { leadersOf, moveTopic } from '../support/kafkajs-leader.ts'

test('each record comes once through three brokers:', async (t) => {
  const { brokers, addresses } = await startCluster(t, { brokers: 3 })

  const disturbed = async (t: TestContext, disturb: (flow: Flow) => Promise<void>) => {
    const flow = await startFlow(t, kafkaAt(t, addresses))
    return underLoad(flow, () => disturb(flow))
  }

  await t.test('all are restarted one after the other', async (t) => {
    const written = await disturbed(t, async () => {
      for (const broker of brokers) {
        await broker.stop()
        await broker.start()
      }
    })
    t.diagnostic(`${written} records written meanwhile`)
  })

  await t.test('the leader of the output is killed', async (t) => {
    await disturbed(t, async ({ output }) => {
      const [leader] = await leadersOf(addresses, output)
      const broker = brokers.find(({ id }) => id === leader)
      assert.ok(broker)
      await broker.kill()
      await until('another one leads', async () => {
        const leaders = await leadersOf(addresses, output)
        return leaders.every((id) => id > 0 && id !== leader)
      })
      await broker.start()
    })
  })

  await t.test('topics move to other leaders again and again', async (t) => {
    await disturbed(t, async ({ input, output, partitions }) => {
      for (const round of [0, 1, 2, 3]) {
        const replicas = [0, 1].map((n) => ((round + n) % 3) + 1)
        for (const topic of [input, output]) {
          await moveTopic(addresses, topic, partitions, replicas)
          await until('the new leader leads', async () =>
            (await leadersOf(addresses, topic)).every((id) => replicas.includes(id)),
          )
        }
      }
    })
  })
})
