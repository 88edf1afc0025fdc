import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { suite, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { freePort } from '../../src/broker/ports.ts'
import { assertBalanced } from '../support/balance.ts'
import { startChatfeed } from '../support/chatfeed.ts'
import { startCluster } from '../support/cluster.ts'
import { footprintOf, swollen } from '../support/footprint.ts'
import { until } from '../support/kafka.ts'
import { startScene } from '../support/scene.ts'

interface Answer {
  status: number
  reasons: string[]
}

/** A broker of its own, and a chatfeed that has carried everything there is through it. */
async function arena(t: TestContext) {
  const { brokers, addresses } = await startCluster(t)
  const httpPort = await freePort()
  const scene = await startScene(t, { brokers: addresses, httpPort, messagesPerHour: 600, since: '3h' })
  const chatfeed = startChatfeed(t, ['up'], { cwd: scene.folder })
  const ask = async (path: string): Promise<Answer> => {
    const { statusCode, body } = await request(`http://127.0.0.1:${httpPort}${path}`)
    const { reasons = [] } = (await body.json()) as { reasons?: string[] }
    return { status: statusCode, reasons }
  }
  const says = (words: string) => until(`it says ${words}`, () => chatfeed.stderr().includes(words), 40_000)
  const isReady = () =>
    ask('/readyz').then(
      ({ status }) => status === 200,
      () => false,
    )
  await until('it is ready', isReady, 90_000)
  let shown = 0
  return {
    broker: brokers[0]!,
    chatfeed,
    ask,
    says,
    isReady,
    /** What the providers show now and did not show before is still to come. */
    bringMessages() {
      shown = scene.served().messages
      scene.setClock(Date.now() + 100_000)
    },
    async assertGoesOn() {
      await says('Kafka is back')
      await until('it takes new messages', () => scene.served().messages > shown)
      await until('it is ready again', isReady, 60_000)
      assert.equal((await ask('/healthz')).status, 200)
      chatfeed.process.kill('SIGTERM')
      const { status, stderr } = await chatfeed.ended
      assert.equal(status, 0, stderr)
      await assertBalanced(scene)
    },
  }
}

suite('without Kafka chatfeed waits, says so, and goes on by itself:', { concurrency: 2 }, () => {
  test('the broker is away for a quarter of a minute', async (t) => {
    const own = await arena(t)
    const { broker, chatfeed, ask, says } = own
    const { pid } = chatfeed.process
    // A connection that is lost for the first time comes back as two: what is compared are the states after an outage.
    await broker.stop()
    await says('Kafka is away')
    await broker.start()
    await says('Kafka is back')
    await until('it is ready again', own.isReady, 60_000)
    const before = footprintOf(pid)
    await broker.stop()
    const back = Date.now() + 15_000
    await until('it says so once more', () => chatfeed.stderr().split('Kafka is away').length > 2, 40_000)
    own.bringMessages()
    for (; Date.now() < back; await delay(500)) {
      const { status, reasons } = await ask('/readyz')
      assert.equal(status, 503)
      assert.match(reasons.join(), /Kafka/)
      assert.equal((await ask('/healthz')).status, 200)
    }
    await broker.start()
    await until('it is ready again', own.isReady, 60_000)
    assert.deepEqual(swollen(before, [footprintOf(pid)], 1), [])
    await own.assertGoesOn()
  })

  // The limit of file sizes stands in for the disk, and only Linux can change it for a running process.
  if (process.platform === 'linux') {
    test('the disk of the broker is full, so that it ends', async (t) => {
      const own = await arena(t)
      const { broker, says } = own
      execFileSync('prlimit', [`--pid=${broker.pid}`, '--fsize=4096:'])
      own.bringMessages()
      await broker.ended
      await says('Kafka is away')
      await broker.start()
      await own.assertGoesOn()
    })
  }
})
