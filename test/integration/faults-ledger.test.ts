import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Status } from '../../src/app/status.ts'
import { Ledger, ledgerPartition } from '../../src/ingest/ledger.ts'
import { Connection } from '../../src/kafka/connection.ts'
import { topicOffsets } from '../../src/kafka/offsets.ts'
import { readRange } from '../../src/kafka/range.ts'
import { silentLog } from '../../src/log.ts'
import { assertBalanced } from '../support/balance.ts'
import { runChatfeed } from '../support/chatfeed.ts'
import { testKafka, until } from '../support/kafka.ts'
import { compactEagerly, compactOften } from '../support/kafkajs-compaction.ts'
import { runRoles } from '../support/run-once.ts'
import { type Scene, startScene } from '../support/scene.ts'
import { codecs } from '../support/codecs.ts'

const rounds = 30
const rewritten = 3

type UnitOfSource = Status['sources'][number]['units'][number] & { name: string }

test('a ledger of which compaction has left little is read to its end, and knows every unit', async (t) => {
  const { kafka } = testKafka(t)
  const scene = await startScene(t, { messagesPerHour: 10, since: '12h' })
  await runRoles(scene.config)
  const before = await unitsOf(t, scene)
  assert.ok(before.length > 20)

  await compactOften(kafka.brokers)
  await compactEagerly(kafka.brokers, scene.topics.ledger)
  const connection = new Connection(kafka, silentLog)
  t.after(() => connection.close())
  await connection.know([scene.topics.ledger])
  const written = await rewrite(connection, scene)
  // What lies in the newest segment takes nothing with it.
  const left = before.length + rewritten * scene.config.sources.length
  await until('all but the newest of every entry is gone', async () => {
    const { records } = await sizeOf(connection, scene.topics.ledger)
    return records <= left
  })
  const { records, end } = await sizeOf(connection, scene.topics.ledger)
  t.diagnostic(`${written} written anew, ${end} offsets, ${records} records left for ${before.length} units`)
  assert.ok(end > written + records)

  assert.deepEqual(await unitsOf(t, scene), before)
  await assertBalanced(scene)
  const ofFiles = ({ name, state }: UnitOfSource) => name === 'support' && state === 'published'
  const after = await unitsOf(t, scene)
  assert.deepEqual(after.filter(ofFiles), before.filter(ofFiles), 'no hour file is read again')
})

/** Writes some entries of every source again and again, as they are, the last rounds each in a segment of its own. */
async function rewrite(connection: Connection, { config, topics }: Scene): Promise<number> {
  let written = 0
  for (const { name } of config.sources) {
    const partition = ledgerPartition(name, connection.partitions(topics.ledger))
    const { signal } = new AbortController()
    const ledger = await Ledger.open(
      connection,
      codecs,
      topics.ledger,
      partition,
      `${topics.ledger}-${name}`,
      signal,
    )
    const entries = [...ledger.entries(name).values()].slice(0, rewritten)
    for (let round = 0; round < rounds; round++) {
      // So that the last entries begin new segments: the one that is written to is never compacted.
      if (round > rounds - 4) await delay(150)
      for (const entry of entries) await ledger.put(entry)
      written += entries.length
    }
  }
  return written
}

async function sizeOf(connection: Connection, topic: string): Promise<{ records: number; end: number }> {
  const sum = { records: 0, end: 0 }
  for (const [partition, end] of await topicOffsets(connection, topic, 'latest')) {
    sum.end += end
    for await (const set of readRange(connection, topic, partition)) sum.records += [...set].length
  }
  return sum
}

/** The units that the ledger knows, with all that `status` says of them. */
async function unitsOf(t: TestContext, { folder }: Scene): Promise<UnitOfSource[]> {
  const { status, stdout, stderr } = await runChatfeed(t, ['status', '--json'], { cwd: folder })
  assert.equal(status, 0, stderr)
  const { sources } = JSON.parse(stdout) as Status
  return sources.flatMap(({ name, units }) =>
    units.filter(({ attempts }) => attempts > 0).map((unit) => ({ name, ...unit })),
  )
}
