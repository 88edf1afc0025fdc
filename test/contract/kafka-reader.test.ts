import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { ChatfeedError } from '../../src/errors.ts'
import type { Connection } from '../../src/kafka/connection.ts'
import { committedOffsets, topicOffsets } from '../../src/kafka/offsets.ts'
import { runReader, type Turn } from '../../src/kafka/reader.ts'
import type { RecordSet } from '../../src/kafka/record-set.ts'
import { silentLog } from '../../src/log.ts'
import { deadMember, untilRebalancing } from '../support/kafkajs-group.ts'
import { testKafka, until } from '../support/kafka.ts'
import { writeKeys } from '../support/stage.ts'

/** A store that gathers what it is given until it is flushed. */
class GatheringStore {
  readonly rows: string[] = []
  gathered: string[] = []
  next = 0
  position: number | null = null

  write(records: RecordSet): void {
    for (const record of records) this.gathered.push(record.key()!.toString())
    this.next = records.nextOffset
  }

  flush(): void {
    this.rows.push(...this.gathered)
    this.gathered = []
    this.position = this.next
  }
}

/** A store that keeps positions with its rows, as a sink does. */
class Store {
  readonly rows: string[] = []
  readonly positions = new Map<number, number>()
  /** Thrown by the next writes, after the rows were stored. */
  failures: Error[] = []
  /** Holds up the writes that were begun. */
  gate: Promise<void> = Promise.resolve()
  begun = 0
  /** A store without positions is given again what the group does not know of. */
  keepsNone = false

  write(records: RecordSet): void {
    assert.ok(records.nextOffset > (this.positions.get(records.partition) ?? -1) || this.keepsNone)
    for (const record of records) this.rows.push(record.key()!.toString())
    const failure = this.failures.shift()
    if (failure) throw failure
    if (!this.keepsNone) this.positions.set(records.partition, records.nextOffset)
  }
}

interface RunOptions {
  place?: 'group'
  onWritten?: (records: RecordSet, turn: Turn) => Promise<void>
}

async function arena(t: TestContext, partitions: number) {
  const own = testKafka(t)
  const { kafka } = own
  const topic = await own.topic('messages', partitions)
  const groupId = own.group('sink')
  const connection = own.connection()
  await connection.know([topic])
  const store = new Store()
  return {
    kafka,
    topic,
    groupId,
    store,
    connection,
    write: (keys: readonly string[]) => writeKeys(kafka, topic, keys),
    run: ({ place, onWritten }: RunOptions = {}) => {
      const member = runReader({
        kafka,
        log: silentLog,
        groupId,
        topic,
        position: (partition) => Promise.resolve(place ?? store.positions.get(partition) ?? null),
        write: async (records, turn) => {
          store.begun++
          await store.gate
          store.write(records)
          await onWritten?.(records, turn)
        },
      })
      t.after(() => member.stop().catch(() => undefined))
      return member
    },
    lag: async () => {
      const ends = await topicOffsets(connection, topic, 'latest')
      const committed = await committedOffsets(connection, groupId, topic)
      return [...ends].map(([partition, end]) => end - (committed.get(partition) ?? 0)).sort()
    },
  }
}

const keys = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`)

test('a reader begins at the beginning or where its store stands, and shows its lag', async (t) => {
  const { store, write, run, lag } = await arena(t, 3)
  await write(keys('a', 500))
  const first = run()
  await until('all is stored', () => store.rows.length === 500)
  await until('the lag is shown', async () => (await lag()).join() === '0,0,0')
  await first.stop()
  await write(keys('b', 200))
  assert.equal(
    (await lag()).reduce((sum, part) => sum + part, 0),
    200,
  )
  run()
  await until('the rest is stored', () => store.rows.length === 700)
  assert.deepEqual(store.rows.toSorted(), [...keys('a', 500), ...keys('b', 200)].sort())
  await until('the lag is gone', async () => (await lag()).join() === '0,0,0')
})

test('a reader that is stopped in the middle of a write finishes it, and shows where it stands', async (t) => {
  const { store, write, run, lag } = await arena(t, 1)
  let open = () => {}
  store.gate = new Promise((resolve) => (open = resolve))
  await write(keys('a', 20))
  const member = run()
  await until('a write is under way', () => store.begun === 1)
  const stopped = member.stop()
  open()
  await stopped
  assert.equal(store.rows.length, 20)
  assert.deepEqual(await lag(), [0])
})

test('the store is believed, and not what the group was told', async (t) => {
  const { store, write, run, lag } = await arena(t, 1)
  await write(keys('a', 10))
  const member = run()
  await until('the lag is gone', async () => store.rows.length === 10 && (await lag()).join() === '0')
  await member.stop()
  store.rows.length = 0
  store.positions.set(0, 4)
  run()
  await until('the records come again', () => store.rows.length === 6)
  assert.deepEqual(store.rows, keys('a', 10).slice(4))
})

test('a store that was emptied is filled again, though nothing new comes', async (t) => {
  const { store, write, run } = await arena(t, 2)
  await write(keys('a', 50))
  run()
  await until('all is stored', () => store.rows.length === 50)
  store.rows.length = 0
  store.positions.clear()
  await until('all is stored again', () => store.rows.length === 50)
  assert.deepEqual(store.rows.toSorted(), keys('a', 50).sort())
})

test('a batch comes again after a write that failed for the moment', async (t) => {
  const { store, write, run } = await arena(t, 1)
  const later = new ChatfeedError('transient', 'store_away', 'Not now.', { retryAfterMs: 5 })
  store.failures = [later, later, later]
  await write(keys('a', 50))
  run()
  await until('the position is stored', () => store.positions.get(0) === 50)
  assert.deepEqual(
    store.rows,
    [1, 2, 3, 4].flatMap(() => keys('a', 50)),
  )
})

test('a store that cannot go on ends the reader with its reason', async (t) => {
  const { store, write, run } = await arena(t, 1)
  const broken = new ChatfeedError('fatal', 'store_full', 'No room.')
  store.failures = [broken]
  await write(keys('a', 5))
  await assert.rejects(run().done, broken)
})

test('a position that the topic does not have is an error and never a jump', async (t) => {
  const { store, write, run } = await arena(t, 1)
  await write(keys('a', 5))
  store.positions.set(0, 77)
  await assert.rejects(run().done, { remedy: 'fatal', code: 'offset_out_of_range' })
  assert.deepEqual(store.rows, [])
})

test('a reader goes on with what it has while a rebalance hangs', async (t) => {
  const { kafka, topic, groupId, store, write, run, lag } = await arena(t, 2)
  const member = run()
  await until('the reader has both', () => member.partitions.length === 2)
  await deadMember(t, { ...kafka, clientId: 'chatfeed@elsewhere:1' }, groupId, [topic], 30_000)
  await until('the silent member has its share', () => member.partitions.length === 1, 10_000)
  const newcomer = run()
  await untilRebalancing(kafka, groupId)
  const begun = Date.now()
  for (const round of ['a', 'b', 'c']) {
    const before = store.rows.length
    await write(keys(round, 40))
    await until('records of the kept partition are stored', () => store.rows.length > before, 3_000)
  }
  await until('the lag is shown', async () => (await lag())[0] === 0, 3_000)
  assert.ok(Date.now() - begun < 10_000)
  assert.deepEqual(newcomer.partitions, [])
})

suite('a store that can keep no place:', () => {
  async function placeless(t: TestContext, partitions: number) {
    const own = await arena(t, partitions)
    own.store.keepsNone = true
    const committed = async () => [...(await committedOffsets(own.connection, own.groupId, own.topic))].sort()
    return { ...own, committed }
  }

  test('the place is what the group has committed, and the next reader goes on there', async (t) => {
    const { store, write, run, committed } = await placeless(t, 2)
    await write(keys('a', 300))
    const first = run({ place: 'group' })
    await until('all is written', () => store.rows.length === 300)
    await first.stop()
    assert.equal(
      (await committed()).reduce((sum, [, offset]) => sum + offset, 0),
      300,
    )
    await write(keys('b', 200))
    run({ place: 'group' })
    await until('the rest is written', () => store.rows.length >= 500)
    assert.deepEqual(store.rows.toSorted(), [...keys('a', 300), ...keys('b', 200)].sort())
  })

  test('a set that was written and not committed comes again, and nothing is left out', async (t) => {
    const { store, write, run, committed } = await placeless(t, 1)
    const later = new ChatfeedError('transient', 'store_away', 'Not now.', { retryAfterMs: 5 })
    store.failures = [later, later]
    await write(keys('a', 20))
    run({ place: 'group' })
    await until('the place is kept', async () => (await committed()).join() === '0,20')
    assert.deepEqual(
      store.rows,
      [1, 2, 3].flatMap(() => keys('a', 20)),
    )
  })

  test('what was reached within a set does not come again', async (t) => {
    const { store, write, run, committed } = await placeless(t, 1)
    const away = new ChatfeedError('transient', 'store_away', 'Not now.', { retryAfterMs: 5 })
    let failed = false
    await write(keys('a', 20))
    run({
      place: 'group',
      async onWritten(_records, turn) {
        if (failed) return
        failed = true
        await turn.reached(8)
        throw away
      },
    })
    await until('the place is kept', async () => (await committed()).join() === '0,20')
    assert.deepEqual(store.rows, [...keys('a', 20), ...keys('a', 20).slice(8)])
  })

  test('a member that is thrown out between a write and its commit commits nothing, and the set comes again', async (t) => {
    const { store, groupId, connection, write, run, committed } = await placeless(t, 1)
    await write(keys('a', 20))
    let thrownOut = false
    const member = run({
      place: 'group',
      async onWritten() {
        if (thrownOut) return
        thrownOut = true
        assert.deepEqual(await committed(), [])
        await throwOut(connection, groupId)
      },
    })
    await until('the place is kept', async () => (await committed()).join() === '0,20')
    assert.deepEqual(store.rows, [...keys('a', 20), ...keys('a', 20)])
    assert.equal(member.hasFailed, false)
  })

  test('a lower place that an earlier owner has left is put right, though nothing new comes', async (t) => {
    const { store, groupId, topic, connection, write, run, committed } = await placeless(t, 1)
    await write(keys('a', 20))
    run({ place: 'group' })
    await until('the place is kept', async () => (await committed()).join() === '0,20')
    const { memberId, generationId } = await memberOf(connection, groupId)
    await connection.retry('committing', async () =>
      (await connection.groupCoordinator(groupId)).offsetCommit({
        groupId,
        groupGenerationId: generationId,
        memberId,
        topics: [{ topic, partitions: [{ partition: 0, offset: '5', metadata: '' }] }],
      }),
    )
    await until('the place is put right', async () => (await committed()).join() === '0,20', 10_000)
    assert.equal(store.rows.length, 20)
  })
})

/** Takes every member out of a group behind its back. */
async function throwOut(connection: Connection, groupId: string): Promise<void> {
  const { memberId } = await memberOf(connection, groupId)
  const coordinator = await connection.groupCoordinator(groupId)
  await coordinator.leaveGroup({ groupId, memberId })
}

/** The only member of a group in its first generation. */
async function memberOf(connection: Connection, groupId: string) {
  const coordinator = await connection.groupCoordinator(groupId)
  const { groups } = await coordinator.describeGroups({ groupIds: [groupId] })
  return { memberId: groups[0]!.members[0]!.memberId, generationId: 1 }
}
test('a store that gathers is flushed by time, when idle or at the end, and only what is stored is shown', async (t) => {
  const { kafka, topic, groupId, write, lag } = await arena(t, 1)
  const store = new GatheringStore()
  const run = (everyMs: number, whenIdle: boolean) => {
    const member = runReader({
      kafka,
      log: silentLog,
      groupId,
      topic,
      position: () => Promise.resolve(store.position),
      write: (records) => Promise.resolve(store.write(records)),
      gathering: {
        everyMs,
        whenIdle,
        flush: () => Promise.resolve(store.flush()),
        storedTo: () => store.position,
      },
    })
    t.after(() => member.stop().catch(() => undefined))
    return member
  }
  await write(keys('a', 20))
  const patient = run(600_000, false)
  await until('all is gathered', () => store.gathered.length === 20)
  assert.deepEqual([store.rows, await lag()], [[], [20]])
  await patient.stop()
  assert.deepEqual([store.rows, await lag()], [keys('a', 20), [0]])
  await write(keys('b', 5))
  const ending = run(600_000, true)
  await until('it is idle', () => store.rows.length === 25)
  await until('the lag is shown', async () => (await lag()).join() === '0')
  await ending.stop()
  await write(keys('c', 5))
  run(1, false)
  await until('it is due', () => store.rows.length === 30)
})
