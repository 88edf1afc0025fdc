import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { EntryWriter } from '../../src/ingest/entry-writer.ts'
import { Ledger, ledgerPartition, type LedgerView, readLedger } from '../../src/ingest/ledger.ts'
import { type SourceEnd, type IngestOptions, type IngestSource, runIngest } from '../../src/ingest/ingest.ts'
import { ChatfeedError } from '../../src/errors.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { TransactionalWriter } from '../../src/kafka/transaction.ts'
import { silentLog } from '../../src/log.ts'
import type { Provider, Publish, Reading, Source, Unit } from '../../src/providers/provider.ts'
import { testKafka, until } from '../support/kafka.ts'
import { ledgerEntry } from '../unit/samples.ts'
import { codecs } from '../support/codecs.ts'

const published: Reading = { state: 'published', lines: 1, bytes: 2, digest: 'd' }

/** A source with one unit. */
function fake(name: string, read: (publish: Publish, signal: AbortSignal) => Promise<Reading>): IngestSource {
  const unit: Unit = {
    name: 'u',
    opensAt: 0,
    closesAt: 0,
    pollEveryMs: null,
    lookAgainMs: [],
    deadline: null,
  }
  const source: Source = {
    name,
    provider: 'fake',
    tenant: 't',
    units: () => Promise.resolve([unit]),
    hours: () => Promise.resolve([]),
    read: (_unit, publish, signal) => read(publish, signal),
    check: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  }
  return { name, provider: { name: 'fake' } as Provider, open: () => source }
}

/** Ingest of these sources, whose ledger has one partition; ended by the test. */
async function startIngest(t: TestContext, sources: readonly IngestSource[]) {
  const seam = testKafka(t)
  const ledgerTopic = await seam.topic('ledger')
  const rawTopic = await seam.topic('raw')
  const ended = new Map<string, SourceEnd>()
  const options: IngestOptions = {
    kafka: seam.kafka,
    log: silentLog,
    codecs,
    groupId: seam.group('ingest'),
    ledgerTopic,
    unreadTopic: 'unread',
    rawTopic: () => rawTopic,
    sources,
    once: true,
    onStatus: () => undefined,
    onEnd: (name, end) => ended.set(name, end),
  }
  const connection = seam.connection()
  await connection.know([ledgerTopic])
  return {
    ended,
    start() {
      const member = runIngest(options)
      t.after(() => member.stop().catch(() => undefined))
      return member
    },
    /** What another process does that takes the ledger over. */
    takeLedger: () => TransactionalWriter.open(connection, `${options.groupId}-0`),
    async ledger(): Promise<LedgerView> {
      const view: LedgerView = new Map()
      await readLedger(connection, codecs, ledgerTopic, 0, view)
      return view
    },
  }
}

test('a lost ledger makes all its sources begin anew, and none is read twice at a time', async (t) => {
  let readings = 0
  const neighbour = { readings: 0, now: 0, most: 0 }
  let begun = () => {}
  const neighbourReads = new Promise<void>((resolve) => (begun = resolve))
  const ingest = await startIngest(t, [
    fake('one', async () => {
      await neighbourReads
      if (++readings === 1) await ingest.takeLedger()
      return published
    }),
    fake('other', async (_publish, signal) => {
      neighbour.most = Math.max(neighbour.most, ++neighbour.now)
      begun()
      try {
        if (++neighbour.readings > 1) return published
        return await new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new ChatfeedError('transient', 'stopped', 'Stopped.'))
          })
        })
      } finally {
        neighbour.now--
      }
    }),
  ])
  await ingest.start().finished()
  assert.deepEqual([readings, neighbour.readings], [2, 2])
  assert.equal(neighbour.most, 1)
  const ledger = await ingest.ledger()
  for (const name of ['one', 'other'])
    assert.deepEqual(
      [ledger.get(name)?.get('u')?.state, ledger.get(name)?.get('u')?.attempts],
      ['published', 1],
    )
})

test('a source that cannot go on does not stop its neighbours', async (t) => {
  const ingest = await startIngest(t, [
    fake('bad', () => Promise.reject(new ChatfeedError('fatal', 'credentials', 'The secret is wrong.'))),
    fake('good', () => Promise.resolve(published)),
  ])
  await ingest.start().finished()
  assert.equal(ingest.ended.get('bad')?.error?.code, 'credentials')
  assert.deepEqual(ingest.ended.get('good'), { units: 1, lines: 1, lost: [], failed: [], error: null })
  const ledger = await ingest.ledger()
  assert.equal(ledger.get('bad')?.get('u')?.reason, 'The secret is wrong.')
})

test('a bug in a source ends the process rather than the source alone', async (t) => {
  const ingest = await startIngest(t, [fake('buggy', () => Promise.reject(new TypeError('x is undefined')))])
  await assert.rejects(ingest.start().finished(), TypeError)
})

test('the ledger tells its user when another process has it, and keeps what was committed', async (t) => {
  const seam = testKafka(t)
  const topic = await seam.topic('ledger')
  const connection = seam.connection()
  await connection.know([topic])
  const open = () => Ledger.open(connection, codecs, topic, 0, seam.group('l-0'), AbortSignal.timeout(30_000))
  const mine = await open()
  await mine.put({ ...ledgerEntry, state: 'failed' })
  await mine.put(ledgerEntry)
  const successor = await open()
  assert.deepEqual({ ...successor.entries('support').get('2026112310') }, ledgerEntry)
  await assert.rejects(mine.put({ ...ledgerEntry, lines: 0 }), { remedy: 'transient', code: 'ledger_lost' })
  assert.deepEqual(mine.entries('support').get('2026112310'), ledgerEntry)
  await successor.put({ ...ledgerEntry, unit: '2026112311' })
  assert.equal((await open()).entries('support').size, 2)
})

test('the ledger sees what others write, in the partition of the source, and keeps what it alone knows', async (t) => {
  const seam = testKafka(t)
  const topic = await seam.topic('ledger', 4)
  const connection = seam.connection()
  await connection.know([topic])
  const { signal } = new AbortController()
  const partition = ledgerPartition('support', 4)
  const ledger = await Ledger.open(connection, codecs, topic, partition, seam.group('l-0'), signal)
  const writer = new EntryWriter({ kafka: seam.kafka, log: silentLog, codecs, ledgerTopic: topic, signal })
  t.after(() => writer.close())

  await ledger.put({ ...ledgerEntry, unit: 'polled', lines: 1, lastTriedAt: 10 })
  ledger.remember({ ...ledgerEntry, unit: 'polled', lines: 2, lastTriedAt: 20 })
  await writer.put({ ...ledgerEntry, unit: 'read by others' })
  await writer.put({ ...ledgerEntry, unit: 'read by others', lines: 7 })
  await ledger.catchUp(signal)
  const lines = () => [...ledger.entries('support').values()].map(({ unit, lines }) => `${unit}: ${lines}`)
  assert.deepEqual(lines(), ['polled: 2', 'read by others: 7'])

  await writer.put({ ...ledgerEntry, unit: 'a moment later' })
  await ledger.catchUp(signal)
  assert.equal(lines().length, 2, 'it does not look all the time')
  await until('it looks again', async () => {
    await ledger.catchUp(signal)
    return lines().length === 3
  })
  await ledger.put({ ...ledgerEntry, unit: 'own' }) // was not fenced
})

/** A ledger and others who write into it, and whether memory and topic tell the same of the unit `u`. */
async function sharedLedger(t: TestContext) {
  const seam = testKafka(t)
  const topic = await seam.topic('ledger')
  const connection = seam.connection()
  await connection.know([topic])
  const { signal } = new AbortController()
  const ledger = await Ledger.open(connection, codecs, topic, 0, seam.group('l-0'), signal)
  const others = new EntryWriter({ kafka: seam.kafka, log: silentLog, codecs, ledgerTopic: topic, signal })
  t.after(() => others.close())
  const entry = (lines: number, lastTriedAt: number) => ({ ...ledgerEntry, unit: 'u', lines, lastTriedAt })
  return {
    seam,
    topic,
    connection,
    ledger,
    others,
    entry,
    assertLines: async (lines: number) => {
      await until('what was committed can be read', async () => {
        const view: LedgerView = new Map()
        await readLedger(connection, codecs, topic, 0, view)
        return view.get('support')?.get('u')?.lines === lines
      })
      assert.equal(await ledger.catchUpNow(signal), true)
      assert.equal(ledger.entries('support').get('u')?.lines, lines)
    },
  }
}

test('of two entries of a unit the later written one holds, whoever tried the unit last', async (t) => {
  const { ledger, others, entry, assertLines } = await sharedLedger(t)
  await ledger.put(entry(1, 20))
  await others.put(entry(2, 10))
  await assertLines(2)
  await others.put(entry(3, 40))
  await ledger.put(entry(4, 30))
  await assertLines(4)
  await others.put(entry(5, 5))
  await assertLines(5)
})

test('what is only in memory outlives the reading back of what it goes on from, and nothing else', async (t) => {
  const { ledger, others, entry, assertLines } = await sharedLedger(t)
  const { signal } = new AbortController()
  await ledger.put(entry(1, 10))
  await ledger.put(entry(2, 20))
  ledger.remember(entry(3, 30))
  await ledger.catchUpNow(signal)
  assert.equal(ledger.entries('support').get('u')?.lines, 3)
  await others.put(entry(4, 15))
  await assertLines(4)
})

test('a catch-up that the end of the source cuts short says so', async (t) => {
  const { ledger } = await sharedLedger(t)
  assert.equal(await ledger.catchUpNow(AbortSignal.abort()), false)
})

test('a record that is no ledger entry is named by topic, partition and offset, with what to do about it', async (t) => {
  const { seam, topic, connection, ledger, others, entry } = await sharedLedger(t)
  await others.put(entry(1, 1))
  const foreign = await Producer.open(seam.kafka, silentLog, topic)
  t.after(() => foreign.close())
  await foreign.add(Buffer.from('support|u'), Buffer.from('{"state":"published"}'))
  await foreign.flush()
  const { signal } = new AbortController()
  for (const read of [
    () => ledger.catchUpNow(signal),
    () => Ledger.open(connection, codecs, topic, 0, seam.group('l-1'), signal),
    () => readLedger(connection, codecs, topic, 0, new Map()),
  ])
    await assert.rejects(read(), (error) => {
      assert.ok(error instanceof ChatfeedError)
      assert.deepEqual([error.remedy, error.code], ['fatal', 'foreign_record'])
      assert.equal(error.message, `Topic ${topic} holds no ledger entry at partition 0, offset 1.`)
      assert.match(error.mend ?? '', /kafka\.topicPrefix/)
      return true
    })
})
