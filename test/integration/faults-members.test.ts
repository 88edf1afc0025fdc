import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { GroupMember } from '../../src/kafka/group.ts'
import { startCluster } from '../support/cluster.ts'
import { startFlow, underLoad } from '../support/flow.ts'
import { kafkaAt, until } from '../support/kafka.ts'

const sessionTimeoutMs = 2_000
const heartbeatKey = 12

const has = (member: GroupMember, partitions: number) => () => member.partitions.length === partitions

/** Open connections of this process. */
const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

test('each record comes once through a group in disorder:', async (t) => {
  const settings = { 'group.min.session.timeout.ms': '1000' }
  const { brokers, addresses, proxied } = await startCluster(t, { proxied: true, settings })
  const { proxy } = brokers[0]!
  assert.ok(proxy)

  await t.test('two members believe for seconds that they own all partitions', async (t) => {
    let restored = 0
    const onRestore = () => void restored++
    const watch = { onRestore }
    const flow = await startFlow(t, kafkaAt(t, proxied), { witness: addresses, sessionTimeoutMs, watch })
    const { stage, partitions } = flow
    await underLoad(flow, async () => {
      proxy.holds = (apiKey) => apiKey === heartbeatKey
      const other = flow.join(addresses)
      await until('the other member is given all', has(other, partitions))
      const before = restored
      await until('the two take them from each other', () => restored > before + 3 * partitions)
      assert.equal(stage.partitions.length, partitions)
      proxy.holds = () => false
      proxy.cut()
      proxy.heal()
      await until('they share again', () => has(stage, 2)() && has(other, 2)())
    })
    t.diagnostic(`${restored} times begun anew`)
  })

  await t.test('a member joins or leaves every second', async (t) => {
    const flow = await startFlow(t, kafkaAt(t, addresses), { sessionTimeoutMs })
    const others: GroupMember[] = []
    let socketsBefore = 0
    await underLoad(flow, async () => {
      socketsBefore = sockets()
      for (let second = 0; second < 12; second++) {
        const before = flow.stored()
        if (second % 3 === 2) await others.shift()?.stop()
        else others.push(flow.join())
        await delay(1_000)
        if (second % 4 === 3) await until('records flow on', () => flow.stored() > before, 5_000)
      }
      await Promise.all(others.map((member) => member.stop()))
    })
    await until('no connection is left over', () => sockets() <= socketsBefore + 3, 5_000)
  })

  await t.test('a process is frozen for longer than its session, again and again', async (t) => {
    const flow = await startFlow(t, kafkaAt(t, addresses), { sessionTimeoutMs })
    const { stage, partitions, groupId, input, output } = flow
    const script = fileURLToPath(new URL('../support/stage-process.ts', import.meta.url))
    const words = [addresses.join(','), groupId, input, output, String(sessionTimeoutMs)]
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    let steps = 0
    child.stdout.on('data', () => void steps++)
    const working = async () => {
      const before = steps
      await until('the two share', () => has(stage, 2)() && steps > before)
    }
    await underLoad(flow, async () => {
      await working()
      for (const afterMs of [0, 130, 310]) {
        await delay(afterMs)
        child.kill('SIGSTOP')
        await until('the other one has all', has(stage, partitions))
        child.kill('SIGCONT')
        await working()
      }
    })
    assert.equal(child.exitCode, null)
  })
})
