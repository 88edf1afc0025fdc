import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError } from '../../src/errors.ts'
import type { GroupMember } from '../../src/kafka/group.ts'
import { TransactionalWriter } from '../../src/kafka/transaction.ts'
import { testKafka, until } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { keysWithRepeats, runFirstOfEachKey, type StageWatch, writeKeys } from '../support/stage.ts'

async function arena(t: TestContext, partitions: number, inputNames = ['in']) {
  const kafka = testKafka(t)
  const output = await kafka.topic('out', partitions)
  const inputs = await Promise.all(inputNames.map((name) => kafka.topic(name, partitions)))
  const groupId = kafka.group('stage')
  const members: GroupMember[] = []
  const keys = async () => (await readCommitted(kafka.kafka.brokers, output)).map(({ key }) => key)
  return {
    inputs,
    groupId,
    connection: () => kafka.connection(),
    run: (watch?: StageWatch) => {
      const member = runFirstOfEachKey({ kafka: kafka.kafka, groupId, inputs, output }, watch)
      members.push(member)
      t.after(() => member.stop().catch(() => undefined))
      return member
    },
    write: (batch: readonly string[], input = inputs[0]!) => writeKeys(kafka.kafka, input, batch),
    /** Waits until the output holds as many keys, or a member fails, then compares. */
    async assertOnce(this: void, distinct: readonly string[]) {
      const what = `${distinct.length} records in the output`
      const complete = until(what, async () => (await keys()).length >= distinct.length)
      await Promise.race([complete, ...members.map((member) => member.done.then(() => complete))])
      assert.deepEqual((await keys()).sort(), distinct.toSorted())
    },
  }
}

test('every key comes out once, from several inputs', async (t) => {
  const { inputs, run, write, assertOnce } = await arena(t, 3, ['a', 'b'])
  const { keys: all, distinct } = keysWithRepeats(6_000)
  await Promise.all([
    write(
      all.filter((_, n) => n % 2 === 0),
      inputs[0],
    ),
    write(
      all.filter((_, n) => n % 2 === 1),
      inputs[1],
    ),
  ])
  run()
  await assertOnce(distinct)
})

test('once, though tasks fail in the middle of their work and lose their writers in the middle of a commit', async (t) => {
  const { groupId, connection, run, write, assertOnce } = await arena(t, 2)
  const { keys: all, distinct } = keysWithRepeats(20_000)
  let failures = 0
  run({
    onProcess() {
      if (Math.random() < 0.5) return
      failures++
      throw new ChatfeedError('transient', 'on_purpose', 'Failed on purpose.', { retryAfterMs: 1 })
    },
  })
  const writing = (async () => {
    for (let at = 0; at < all.length; at += 200) await write(all.slice(at, at + 200))
  })()
  const thief = connection()
  let thefts = 0
  for (let written = false; !written || thefts < 6; thefts++) {
    written = await Promise.race([writing.then(() => true), delay(400 * Math.random(), false)])
    await TransactionalWriter.open(thief, `${groupId}-${thefts % 2}`)
  }
  await assertOnce(distinct)
  assert.ok(failures > 3, `${failures} failures`)
})

test('a stage that comes back goes on where it was, with its state', async (t) => {
  const { run, write, assertOnce } = await arena(t, 2)
  const first = keysWithRepeats(2_000)
  await write(first.keys)
  const before = run()
  await assertOnce(first.distinct)
  await before.stop()

  const second = keysWithRepeats(1_000, 'later-')
  await write([...second.keys, ...first.keys.slice(0, 300)])
  let restored = 0
  let processed = 0
  const after = run({
    onRestore: (_partition, records) => (restored += records),
    onProcess: (_partition, records) => (processed += records),
  })
  await assertOnce([...first.distinct, ...second.distinct])
  await until('all is processed', () => processed >= 1_300)
  await after.stop()
  assert.equal(restored, first.distinct.length)
  assert.equal(processed, 1_300)
})

test('two members share the partitions; when one leaves, the other one has them all at once', async (t) => {
  const { run, write, assertOnce } = await arena(t, 4)
  const { keys: all, distinct } = keysWithRepeats(12_000)
  const one = run()
  await until('one has all', () => one.partitions.length === 4)
  const kept = one.partitions
  const writing = write(all)
  const other = run()
  await until('both have half', () => one.partitions.length === 2 && other.partitions.length === 2)
  assert.ok(one.partitions.every((partition) => kept.includes(partition)))
  assert.deepEqual([...one.partitions, ...other.partitions].sort(), [0, 1, 2, 3])
  await one.stop()
  const left = Date.now()
  await until('the other has all', () => other.partitions.length === 4)
  assert.ok(Date.now() - left < 4_000)
  await writing
  await assertOnce(distinct)
})

test('a task that cannot go on ends the member with its reason', async (t) => {
  const { run, write } = await arena(t, 2)
  await write(['a', 'b', 'c', 'd'])
  const broken = new ChatfeedError('fatal', 'on_purpose', 'Failed on purpose.')
  const member = run({
    onProcess() {
      throw broken
    },
  })
  await assert.rejects(member.finished(), broken)
  await assert.rejects(member.done, broken)
  await assert.rejects(member.stop(), broken)
  assert.deepEqual(member.partitions, [])
})

test('stop ends within a second, at work and at rest', async (t) => {
  const { run, write } = await arena(t, 2)
  await write(keysWithRepeats(5_000).keys)
  for (const waitMs of [0, 30, 300, 1_000]) {
    const member = run()
    await delay(waitMs)
    const begun = Date.now()
    await member.stop()
    assert.ok(Date.now() - begun < 1_000, `took ${Date.now() - begun} ms after ${waitMs} ms`)
  }
})
