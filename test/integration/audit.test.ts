import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DatabaseSync } from '@photostructure/sqlite'
import { audit, type AuditScope } from '../../src/app/open-audit.ts'
import { openRuntime } from '../../src/app/runtime.ts'
import { startPipeline } from '../../src/app/pipeline.ts'
import { parseRoles } from '../../src/app/roles.ts'
import type { AuditReport } from '../../src/audit/report.ts'
import { ledgerCodec, messageCodec, rawMessageCodec } from '../../src/avro.ts'
import { ledgerKey } from '../../src/ingest/ledger.ts'
import { topicOffsets } from '../../src/kafka/offsets.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { TransactionalWriter } from '../../src/kafka/transaction.ts'
import { silentLog } from '../../src/log.ts'
import type { LedgerEntry, RawMessage } from '../../src/model.ts'
import { runChatfeed } from '../support/chatfeed.ts'
import { testKafka } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { deleteRecords, leaveOpen } from '../support/kafkajs-records.ts'
import { runRoles } from '../support/run-once.ts'
import { type Scene, startScene } from '../support/scene.ts'
import { ledgerEntry, rawMessage } from '../unit/samples.ts'

const hourMs = 3_600_000
const hourInBeijing = (atMs: number): number => new Date(atMs + 8 * hourMs).getUTCHours()

/** An audit in this process that waits for no stage longer than it must. */
async function audited({ config }: Scene, scope: AuditScope = {}, patienceMs = 300): Promise<AuditReport> {
  const runtime = await openRuntime({ config, log: silentLog })
  try {
    const signal = AbortSignal.timeout(60_000)
    return await audit(runtime, scope, { patienceMs, signal, onProgress: () => undefined })
  } finally {
    await runtime.close()
  }
}

/** `kind where id` of every problem. */
const told = ({ problems }: AuditReport): string[] =>
  problems.map(({ kind, where, id }) => `${kind} ${where} ${id ?? '-'}`)

const sum = ({ units }: AuditReport, of: (unit: AuditReport['units'][number]) => number): number =>
  units.reduce((total, unit) => total + of(unit), 0)

/** Writes records as any program can, each to the partition it says. */
async function write(
  { config }: Scene,
  topic: string,
  records: readonly { partition: number; key: Buffer; value: Buffer }[],
): Promise<void> {
  const kafka = { brokers: config.kafka.brokers ?? [], clientId: 'foreign' }
  const producer = await Producer.open(kafka, silentLog, topic)
  try {
    for (const { partition, key, value } of records) await producer.addTo(partition, key, Buffer.from(value))
    await producer.flush()
  } finally {
    await producer.close()
  }
}

const inRaw = (fields: Partial<RawMessage>, partition = 0) => {
  const message = { ...rawMessage, revision: 0, payload: Buffer.from(talk), ...fields }
  return { partition, key: Buffer.from(message.id), value: Buffer.from(rawMessageCodec.encode(message)) }
}

const talk = JSON.stringify({
  msg_id: '1',
  timestamp: 1_795_600_000_123,
  direction: 'outgoing',
  chat_type: 'chat',
  from: 'li',
  to: 'wang',
  payload: { ext: {}, bodies: [{ msg: '你好', type: 'txt' }], from: 'li', to: 'wang' },
})

/** What a store holds, changed behind the back of its sink. */
function inStore({ folder }: Scene, change: (db: InstanceType<typeof DatabaseSync>) => void): void {
  const db = new DatabaseSync(join(folder, 'messages.db'))
  try {
    change(db)
  } finally {
    db.close()
  }
}

/** Moves a stage past everything in its input, as a careless reset of its offsets does. */
async function skipAll(t: TestContext, groupId: string, topic: string): Promise<void> {
  const connection = testKafka(t).connection()
  await connection.know([topic])
  for (const [partition, offset] of await topicOffsets(connection, topic, 'latest')) {
    const writer = await TransactionalWriter.open(connection, `${groupId}-${partition}`)
    await writer.commit([], { groupId, positions: [{ topic, partition, offset }] })
  }
}

suite('audit', () => {
  test('what was served, with repeats, late rows and dead letters, is accounted for to the last line', async (t) => {
    // One hour gets its late rows between the two runs: by day, when people talk, and long enough ago to be there.
    const start = Date.now()
    let hour = Math.floor(start / hourMs) * hourMs - 3 * hourMs
    while (hourInBeijing(hour) < 9 || hourInBeijing(hour) > 21) hour -= hourMs
    let clock = start
    const scene = await startScene(t, {
      since: '18h',
      messagesPerHour: 100,
      lookAgain: ['1ms'],
      overrides: { lateRows: 0.1, lateAfterMs: start + 60_000 - (hour + hourMs) },
      now: () => clock,
    })
    await runRoles(scene.config)
    const before = scene.served()
    clock += 100_000
    const file = join(scene.folder, 'saved.gz')
    writeFileSync(file, gzipSync([talk, '{"msg_id": 2, oops', talk.replace('"1"', '"3"')].join('\n')))
    const imported = await runChatfeed(t, ['import', file, '--source', 'support'], { cwd: scene.folder })
    assert.equal(imported.status, 0, imported.stderr)
    await write(scene, scene.topics.raw('easemob'), [
      { partition: 1, key: Buffer.from('k'), value: Buffer.from('no envelope') },
    ])
    await runRoles(scene.config)
    const served = scene.served()
    assert.ok(
      served.rows > 2 * before.rows && served.messages > before.messages,
      'read again, with late rows',
    )

    const { status, stdout, stderr } = await runChatfeed(t, ['audit', '--json'], { cwd: scene.folder })
    assert.equal(status, 0, stderr)
    const report = JSON.parse(stdout) as AuditReport
    assert.deepEqual([report.balanced, report.problems, report.problemCount], [true, [], 0])
    // Of the file two messages and a dead letter; the record without an envelope is a letter of unknown origin.
    assert.equal(
      sum(report, ({ unique }) => unique),
      served.revisions + 3,
    )
    assert.equal(
      sum(report, ({ messages }) => messages),
      served.revisions + 2,
    )
    assert.equal(
      sum(report, ({ dead }) => dead),
      2,
    )
    assert.equal(
      sum(report, ({ sinks }) => sinks['search'] ?? 0),
      served.messages + 2,
    )
    assert.equal(scene.stored().length, served.messages + 2)
    for (const { source, unit, state, lines, raw } of report.units)
      if (source === 'support') assert.equal(raw, lines, `${unit} ${state}`)
    const saved = report.units.find(({ unit }) => unit === 'import/saved.gz')
    assert.deepEqual(saved, {
      source: 'support',
      unit: 'import/saved.gz',
      state: 'published',
      lines: 3,
      raw: 3,
      unique: 3,
      messages: 2,
      dead: 1,
      sinks: { search: 2 },
      problems: 0,
    })
    const nowhere = report.units.find(({ source }) => source === '')
    assert.deepEqual([nowhere?.raw, nowhere?.dead], [1, 1])

    await t.test('a source alone, and a range of hours, give the same figures for their units', async () => {
      const live = await audited(scene, { source: 'live' })
      const key = ({ source, unit }: { source: string; unit: string }) => `${source} ${unit}`
      assert.deepEqual(
        live.units,
        report.units.filter(({ source }) => source === 'live'),
      )
      assert.equal(live.balanced, true)
      const scope = { fromMs: hour, toMs: hour + hourMs }
      const ranged = await audited(scene, scope)
      const name = new Date(hour + 8 * hourMs).toISOString().replace(/\D/g, '').slice(0, 10)
      assert.deepEqual(
        ranged.units,
        report.units.filter(({ unit }) => unit === name || unit.endsWith(`/${name}`)),
      )
      assert.ok(ranged.units.length > 1 && ranged.balanced)
      const both = await audited(scene, { ...scope, source: 'support' })
      assert.deepEqual(both.units.map(key), [`support ${name}`])
      await assert.rejects(audited(scene, { source: 'nobody' }), { code: 'usage' })
    })

    await t.test('letters that are replayed or discarded keep the balance', async () => {
      const run = async (...words: string[]) => {
        const { status, stderr } = await runChatfeed(t, words, { cwd: scene.folder })
        assert.equal(status, 0, stderr)
      }
      await run('dead', 'replay', '--all')
      assert.equal((await audited(scene)).balanced, false, 'they wait in raw')
      await runRoles(scene.config, 'dedup,enrich,sink')
      await run('dead', 'discard', '--all', '--reason', 'not worth it')
      const after = await audited(scene)
      assert.deepEqual(told(after), [])
      assert.equal(
        sum(after, ({ dead }) => dead),
        4,
        'both have died once more',
      )
      assert.equal(after.units.find(({ unit }) => unit === 'import/saved.gz')?.raw, 3)
    })

    await t.test('the table says so on a terminal', async () => {
      const text = await runChatfeed(t, ['audit'], { cwd: scene.folder })
      assert.equal(text.status, 0, text.stderr)
      assert.match(text.stdout, /^ +lines +raw +unique +messages +dead +search\n/)
      assert.match(text.stdout, /\nBalanced: [\d,]+ lines of \d+ units are accounted for\.\n$/)
      assert.ok(text.stdout.split('\n').every((line) => line.length <= 80))
    })
  })

  test('whatever is tampered with is found, and nothing else', async (t) => {
    const scene = await startScene(t)
    const { topics, config } = scene
    const brokers = config.kafka.brokers ?? []
    await runRoles(config)
    assert.deepEqual(told(await audited(scene)), [])
    const messages = await readCommitted(brokers, topics.messages)
    const [one, two, three] = messages.map((record) => ({ ...record, id: record.key ?? '' }))
    assert.ok(one && two && three)

    await t.test('a row deleted from SQLite', async () => {
      inStore(scene, (db) => {
        db.exec('create table saved as select * from messages')
        db.prepare('delete from messages where id = ?').run(one.id)
      })
      const { status, stdout } = await runChatfeed(t, ['audit', '--json'], { cwd: scene.folder })
      assert.equal(status, 1)
      const report = JSON.parse(stdout) as AuditReport
      assert.equal(report.balanced, false)
      const { origin, source } = messageCodec.decode(one.value)
      assert.deepEqual(
        report.problems.map(({ kind, where, id, source: of, unit, position }) => ({
          kind,
          where,
          id,
          source: of,
          origin: `${unit}#${position}`,
        })),
        [{ kind: 'missing', where: 'sink:search', id: one.id, source, origin }],
      )
      assert.match(report.problems[0]?.text ?? '', /; sink:search has passed it$/)
      assert.equal(
        sum(report, ({ sinks }) => sinks['search'] ?? 0),
        messages.length - 1,
      )
    })

    await t.test('an older revision put back into SQLite; a newer one is none of its business', async () => {
      inStore(scene, (db) => {
        db.prepare('insert into messages select * from saved where id = ?').run(one.id)
        db.exec('drop table saved')
        db.prepare('update messages set revision = 0 where id = ?').run(two.id)
        db.prepare('update messages set revision = 9 where id = ?').run(three.id)
      })
      assert.deepEqual(told(await audited(scene)), [`stale sink:search ${two.id}`])
      inStore(scene, (db) => db.exec('update messages set revision = 1 where revision in (0, 9)'))
      assert.deepEqual(told(await audited(scene)), [])
    })

    await t.test('the whole store gone', async () => {
      const report = await audited({
        ...scene,
        config: { ...config, sinks: [{ name: 'search', type: 'sqlite', path: '/nowhere.db' }] },
      })
      assert.deepEqual([report.balanced, report.problems], [false, []])
      assert.deepEqual(
        report.sinks.map(({ audited: asked }) => asked),
        [false],
      )
    })

    await t.test('a message written once more by a stranger, into another partition', async () => {
      const partition = (one.partition + 1) % 3
      await write(scene, topics.messages, [{ partition, key: Buffer.from(one.id), value: one.value }])
      await runRoles(config, 'sink')
      const report = await audited(scene)
      assert.deepEqual(told(report), [`doubled messages ${one.id}`])
      assert.match(
        report.problems[0]?.text ?? '',
        new RegExp(`messages ${partition}:\\d+ is there once more$`),
      )
    })
    const doubled = `doubled messages ${one.id}`

    await t.test('a stage that is behind', async () => {
      await write(scene, topics.raw('easemob'), [inRaw({ id: 'easemob:easemob-demo#chatfeed:new' })])
      const report = await audited(scene)
      assert.deepEqual(told(report), ['missing unique easemob:easemob-demo#chatfeed:new', doubled])
      assert.deepEqual(report.stages[0], { stage: 'dedup', behind: 1 })
      assert.match(report.problems[0]?.text ?? '', /dedup is 1 records behind .* run chatfeed up$/)
      await runRoles(config, 'dedup')
      const next = await audited(scene)
      assert.deepEqual(told(next), ['missing messages easemob:easemob-demo#chatfeed:new', doubled])
      assert.equal(next.stages[1]?.behind, 2, 'a record, and the marker of its transaction')
      await runRoles(config, 'enrich')
      assert.deepEqual(told(await audited(scene)), [
        doubled,
        'missing sink:search easemob:easemob-demo#chatfeed:new',
      ])
      await runRoles(config, 'sink')
      assert.deepEqual(told(await audited(scene)), [doubled])
    })

    await t.test('repeats and stale copies that wait in raw are not missing anywhere', async () => {
      const copy = (fetchedAt: number, content: string) =>
        inRaw({
          id: 'easemob:easemob-demo#chatfeed:new',
          fetchedAt,
          fingerprint: Buffer.from(content.padEnd(16)),
        })
      const { fetchedAt } = rawMessage
      await write(scene, topics.raw('easemob'), [
        inRaw({ id: 'easemob:easemob-demo#chatfeed:new' }),
        copy(fetchedAt - 1, 'older'),
      ])
      assert.deepEqual(told(await audited(scene)), [doubled])
      await runRoles(config, 'dedup')
      assert.deepEqual(told(await audited(scene)), [doubled])
      await write(scene, topics.raw('easemob'), [copy(fetchedAt + 1, 'newer')])
      assert.deepEqual(told(await audited(scene)), [
        'missing unique easemob:easemob-demo#chatfeed:new',
        doubled,
      ])
      await runRoles(config, 'dedup,enrich,sink')
      assert.deepEqual(told(await audited(scene)), [doubled])
    })

    await t.test('records that enrich was moved past, and one that dedup was moved past', async () => {
      const skipped = inRaw({ id: 'easemob:easemob-demo#chatfeed:skipped' })
      await write(scene, topics.raw('easemob'), [skipped])
      await runRoles(config, 'dedup')
      await skipAll(t, topics.group('enrich'), topics.unique)
      await write(scene, topics.raw('easemob'), [inRaw({ id: 'easemob:easemob-demo#chatfeed:unseen' })])
      await skipAll(t, topics.group('dedup'), topics.raw('easemob'))
      await runRoles(config, 'dedup,enrich,sink')
      const report = await audited(scene)
      assert.deepEqual(told(report), [
        'missing unique easemob:easemob-demo#chatfeed:unseen',
        'missing messages easemob:easemob-demo#chatfeed:skipped',
        doubled,
      ])
      assert.match(report.problems[0]?.text ?? '', /; dedup has passed it$/)
      assert.match(report.problems[1]?.text ?? '', /; enrich has passed it$/)
    })

    await t.test('an hour with too few lines, and one that was lost', async () => {
      const ledger = new Map(
        (await readCommitted(brokers, topics.ledger)).map(({ key, partition, value }) => [
          key ?? '',
          { partition, entry: ledgerCodec.decode(value) },
        ]),
      )
      const [short] = [...ledger.values()].filter(
        ({ entry }) => entry.source === 'support' && entry.state === 'published' && entry.lines > 2,
      )
      assert.ok(short)
      const { partition, entry } = short
      const put = (changed: LedgerEntry) =>
        write(scene, topics.ledger, [
          { partition, key: ledgerKey(changed), value: Buffer.from(ledgerCodec.encode(changed)) },
        ])
      await put({ ...entry, lines: entry.lines + 2 })
      const lost = { ...ledgerEntry, source: 'support', unit: '2020010100', state: 'lost', lines: 0 } as const
      await put({ ...lost, publishedAt: null, reason: 'The file has expired.' })
      const { problems } = await audited(scene)
      assert.deepEqual(
        problems
          .slice(0, 3)
          .map(({ kind, where, id, unit, position }) => ({ kind, where, id, unit, position })),
        [
          { kind: 'missing', where: 'provider', id: null, unit: '2020010100', position: null },
          { kind: 'missing', where: 'raw', id: null, unit: entry.unit, position: entry.lines + 1 },
          { kind: 'missing', where: 'raw', id: null, unit: entry.unit, position: entry.lines + 2 },
        ],
      )
      assert.equal(problems[0]?.text, 'The file has expired.')
      await put(entry)
      await put({ ...lost, state: 'published', reason: null })
    })

    await t.test('records deleted from a topic long before their time', async () => {
      const connection = testKafka(t).connection()
      await connection.know([topics.unique])
      const end = (await topicOffsets(connection, topics.unique, 'latest')).get(0) ?? 0
      const inPartition = (await readCommitted(brokers, topics.unique)).filter(
        ({ partition }) => partition === 0,
      )
      await deleteRecords(brokers, topics.unique, 0, end)
      const { tally } = await audited(scene)
      assert.ok(inPartition.length > 100)
      // Beside those the one that dedup never saw, and a stale copy, which nothing explains any more.
      assert.equal(tally.find(({ where }) => where === 'unique')?.count, inPartition.length + 2)
    })
  })

  test('what the settings of the topics let go of is no loss', async (t) => {
    const { config, ...rest } = await startScene(t, { messagesPerHour: 10 })
    const scene = { ...rest, config: { ...config, dedup: { window: 60_000 } } }
    await runRoles(scene.config)
    const connection = testKafka(t).connection()
    for (const topic of [scene.topics.unique, scene.topics.raw('easemob')]) {
      await connection.know([topic])
      for (const [partition, end] of await topicOffsets(connection, topic, 'latest'))
        await deleteRecords(config.kafka.brokers ?? [], topic, partition, end)
    }
    const report = await audited(scene)
    assert.deepEqual(told(report), [])
    assert.ok(report.units.some(({ lines, raw }) => lines > raw))
    assert.match(report.notes.join(), /older than raw topics keep records/)
  })

  test('beside stages at work it does not call missing what is on its way', async (t) => {
    const scene = await startScene(t, { since: '1h', messagesPerHour: 5 })
    const runtime = await openRuntime({ config: scene.config, log: silentLog })
    const pipeline = await startPipeline(runtime, parseRoles('dedup,enrich,sink', scene.config), false)
    const stopping = new AbortController()
    let written = 0
    const writing = (async () => {
      while (!stopping.signal.aborted) {
        const records = Array.from({ length: 100 }, (_, at) =>
          inRaw({ id: `easemob:easemob-demo#chatfeed:${written + at}` }, (written + at) % 3),
        )
        await write(scene, scene.topics.raw('easemob'), records)
        written += records.length
      }
    })()
    try {
      for (let round = 0; round < 5; round++) {
        const before = written
        const report = await audited(scene, {}, 10_000)
        assert.deepEqual(told(report), [])
        assert.ok(
          sum(report, ({ messages }) => messages) >= before,
          'what was there at the start came through',
        )
      }
    } finally {
      stopping.abort()
      await writing
      await pipeline.stop()
      await runtime.close()
    }
    assert.ok(written > 1_000)
  })

  test('a transaction that nobody ends holds nothing up', async (t) => {
    const scene = await startScene(t, { messagesPerHour: 10 })
    await runRoles(scene.config)
    await leaveOpen(t, scene.config.kafka.brokers ?? [], scene.topics.unique, 1)
    const report = await audited(scene)
    assert.deepEqual(told(report), [])
    assert.ok(sum(report, ({ unique }) => unique) > 0)
    assert.equal(report.stages[1]?.behind, 1)
  })
})
