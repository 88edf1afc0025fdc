import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { test, type TestContext } from 'node:test'
import { GroupMember } from '../../src/kafka/group.ts'
import type { PartitionWork } from '../../src/kafka/workers.ts'
import { silentLog } from '../../src/log.ts'
import { deadMember, untilRebalancing } from '../support/kafkajs-group.ts'
import { testKafka, until } from '../support/kafka.ts'

const elsewhere = 'chatfeed@elsewhere:1'
const untilAborted: PartitionWork = async (_partition, signal) => {
  if (!signal.aborted) await once(signal, 'abort')
}

async function arena(t: TestContext, partitions: number) {
  const { kafka, topic, group } = testKafka(t)
  const topics = [await topic('in', partitions)]
  const groupId = group('g')
  return {
    start: (work = untilAborted): GroupMember => {
      const member = new GroupMember({ kafka, log: silentLog, groupId, topics, work })
      t.after(() => member.stop().catch(() => undefined))
      return member
    },
    startDead: (clientId: string, sessionTimeoutMs: number) =>
      deadMember(t, { ...kafka, clientId }, groupId, topics, sessionTimeoutMs),
    untilRebalanceHangs: () => untilRebalancing(kafka, groupId),
  }
}

const has = (member: GroupMember, partitions: number) => () => member.partitions.length === partitions

test('of more members than partitions some wait, and step in when others leave', async (t) => {
  const { start } = await arena(t, 2)
  const members = [start(), start(), start()]
  const shares = () => members.map((member) => member.partitions.length).sort()
  await until('two have one each', () => shares().join() === '0,1,1')
  const idle = members.find((member) => member.partitions.length === 0)!
  await Promise.all(members.filter((member) => member !== idle).map((member) => member.stop()))
  await until('the idle one has both', has(idle, 2))
})

test('what a silent member held is given away when its session has run out', async (t) => {
  const { start, startDead } = await arena(t, 4)
  const member = start()
  await until('the member has all', has(member, 4))
  await startDead(elsewhere, 6_000)
  await until('the silent member has its share', has(member, 2), 10_000)
  await until('the member has all again', has(member, 4), 20_000)
})

test('what a process of this machine held is given away at once when the process is dead', async (t) => {
  const { start, startDead } = await arena(t, 4)
  const { pid } = spawnSync(process.execPath, ['--version'])
  await startDead(`chatfeed@${hostname()}:${pid}`, 60_000)
  await startDead(`chatfeed@${hostname()}:${pid}`, 60_000)
  const members = [start(), start(), start()]
  const shared = () => members.reduce((sum, { partitions }) => sum + partitions.length, 0)
  await until('all is shared by the living', () => shared() === 4, 10_000)
  // None has failed because another one was quicker to show the dead out.
  await Promise.all(members.map((member) => member.stop()))
})

test('stop does not wait for a rebalance that hangs', async (t) => {
  const { start, startDead, untilRebalanceHangs } = await arena(t, 4)
  const member = start()
  await until('the member has all', has(member, 4))
  await startDead(elsewhere, 60_000)
  await until('the silent member has its share', has(member, 2), 10_000)
  const newcomer = start()
  await untilRebalanceHangs()
  for (const each of [newcomer, member]) {
    const begun = Date.now()
    await each.stop()
    assert.ok(Date.now() - begun < 1_000, `took ${Date.now() - begun} ms`)
  }
})

test('work that fails for good rejects, and what has ended by itself resolves', async (t) => {
  const { start } = await arena(t, 3)
  const ended: number[] = []
  const member = start((partition) => Promise.resolve(void ended.push(partition)))
  await member.finished()
  assert.deepEqual(ended.sort(), [0, 1, 2])
  await member.stop()
  const failing = start((partition) =>
    partition === 1 ? Promise.reject(new Error('broken')) : Promise.resolve(),
  )
  await assert.rejects(failing.finished(), /broken/)
  await assert.rejects(failing.done, /broken/)
})

test('work that hangs when it is told to end holds up nobody for ever, and is told of', async (t) => {
  const { start } = await arena(t, 2)
  const member = start(() => new Promise(() => undefined))
  await until('the member has all', has(member, 2))
  const begun = Date.now()
  await assert.rejects(member.stop(), { code: 'stalled', remedy: 'fatal' })
  assert.ok(Date.now() - begun < 12_000, `took ${Date.now() - begun} ms`)
})

test('a member whose work has failed says so at once, also while other work of it hangs', async (t) => {
  const { start } = await arena(t, 2)
  const member = start((partition) =>
    partition === 0 ? new Promise(() => undefined) : Promise.reject(new Error('broken')),
  )
  await until('it has failed', () => member.hasFailed)
  await assert.rejects(member.done, /broken/)
})

test('a cluster that is away is waited for without end, and the wait is told of', async (t) => {
  const kafka = { brokers: ['127.0.0.1:1'], clientId: elsewhere }
  const begun = Date.now()
  const member = new GroupMember({
    kafka,
    log: silentLog,
    groupId: 'g',
    topics: ['in'],
    work: untilAborted,
    stallMs: 1_000,
  })
  t.after(() => member.stop())
  await until('it has waited longer than one call is tried', () => Date.now() - begun > 14_000)
  assert.match(member.troubles.join(), /^Kafka cannot be reached/)
  assert.deepEqual([member.hasFailed, member.hasJoined], [false, false])
  await member.stop()
})
