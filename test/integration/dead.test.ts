import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runOnce } from '../../src/app/once.ts'
import { startPipeline } from '../../src/app/pipeline.ts'
import { parseRoles } from '../../src/app/roles.ts'
import { openRuntime } from '../../src/app/runtime.ts'
import { DeadTopic } from '../../src/dead/dead-topic.ts'
import type { ListedLetter, LetterList } from '../../src/dead/list.ts'
import { replayOf } from '../../src/dead/replay.ts'
import { replayLetters } from '../../src/dead/resolve.ts'
import { findOpen } from '../../src/dead/select.ts'
import { Connection } from '../../src/kafka/connection.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { ensureTopics } from '../../src/kafka/topics.ts'
import { silentLog } from '../../src/log.ts'
import type { RawMessage } from '../../src/model.ts'
import { providersByName } from '../../src/providers/index.ts'
import { runCommandLines } from '../support/chatfeed.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { type Scene, startScene } from '../support/scene.ts'
import { dedupLetter, enrichLetter } from '../unit/dead/letters.ts'
import { type PlainRecord, rawRecord } from '../unit/stages/records.ts'
import { codecs } from '../support/codecs.ts'

interface World extends Scene {
  /** Runs command lines one after the other; each must end well, or as `ends` says. Gives back what they printed. */
  run(lines: readonly (readonly string[])[], ends?: Record<number, number>): Promise<string[]>
  /** Lets the stages and the sink take what is there. */
  carryOn(): Promise<void>
  write(topic: string, records: readonly PlainRecord[]): Promise<void>
  kafka: { brokers: string[]; clientId: string }
}

async function startWorld(t: TestContext): Promise<World> {
  const scene = await startScene(t)
  await (await openRuntime({ config: scene.config, log: silentLog })).close() // makes the topics
  const kafka = { brokers: [...(scene.config.kafka.brokers ?? [])], clientId: 'test' }
  return {
    ...scene,
    kafka,
    async run(lines, ends = {}) {
      const results = await runCommandLines(t, lines, scene.folder)
      for (const [at, { status, stderr }] of results.entries())
        assert.equal(status, ends[at] ?? 0, `${lines[at]?.join(' ')}: ${stderr}`)
      return results.map(({ stdout, stderr }) => stdout || stderr)
    },
    async carryOn() {
      const runtime = await openRuntime({ config: scene.config, log: silentLog })
      const pipeline = await startPipeline(runtime, parseRoles('dedup,enrich,sink', scene.config), true)
      try {
        await Promise.race([runOnce(runtime, pipeline, AbortSignal.timeout(60_000)), pipeline.failed])
      } finally {
        await pipeline.stop()
        await runtime.close()
      }
    },
    async write(topic, records) {
      const producer = await Producer.open(kafka, silentLog, topic)
      try {
        for (const { key, value, headers = {} } of records) {
          const list = Object.entries(headers).map(([name, text]) => ({
            key: name,
            value: Buffer.from(text),
          }))
          if (key && value) await producer.add(key, value, list)
          else await producer.addTo(0, key, value, list)
        }
        await producer.flush()
      } finally {
        await producer.close()
      }
    },
  }
}

const listed = (text = ''): ListedLetter[] => (JSON.parse(text) as LetterList).letters
const json = (text = ''): unknown => JSON.parse(text)
const ids = (letters: readonly ListedLetter[]) => letters.map(({ id }) => id).sort()

const payload = (id: string, text: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      msg_id: id,
      timestamp: 1_795_600_000_123,
      direction: 'outgoing',
      chat_type: 'chat',
      from: 'li',
      to: 'wang',
      payload: { ext: {}, bodies: [{ msg: text, type: 'txt' }], from: 'li', to: 'wang' },
    }),
  )

function raw(fields: Partial<RawMessage> & { id: string; payload: Buffer }): RawMessage {
  return {
    revision: 0,
    provider: 'easemob',
    source: 'support',
    tenant: 'acme#helpdesk',
    origin: '2026112310#1',
    fingerprint: Buffer.from('0123456789abcdef'),
    sentAt: null,
    fetchedAt: 1_000,
    ...fields,
  }
}

test('a line that nobody understands can be looked at, put back, dies again with its count, and is given up', async (t) => {
  const world = await startWorld(t)
  const file = join(world.folder, 'saved.txt')
  const line = '{"msg_id": 2, oops 秘密'
  writeFileSync(file, [payload('1', 'before').toString(), line, payload('3', 'after').toString()].join('\n'))
  await world.run([['import', file, '--source', 'support', '--json']])
  await world.carryOn()
  const [first = assert.fail()] = listed((await world.run([['dead', 'list', '--json']]))[0])
  const id = first.id ?? assert.fail()
  assert.match(id, /^easemob:.*:import\/saved\.txt#2$/)

  const [show, shown, plan, planned, still, replayed, none, resolved] = await world.run([
    ['dead', 'show', id, '--json'],
    ['dead', 'show', first.address],
    ['dead', 'replay', id, '--dry-run', '--json'],
    ['dead', 'replay', '--all', '--dry-run'],
    ['dead', 'list', '--json'],
    ['dead', 'replay', id, '--json'],
    ['dead', 'list', '--json'],
    ['dead', 'list', '--resolved', '--json'],
  ])
  const { letters } = json(show) as { letters: (ListedLetter & { payload: string })[] }
  const contract = [
    'id',
    'code',
    'stage',
    'reason',
    'origin',
    'topic',
    'partition',
    'offset',
    'at',
    'replays',
  ]
  for (const field of contract) assert.ok(field in first, field)
  assert.deepEqual(
    letters.map((letter) => [letter.payload, letter.origin, letter.source, letter.resolution]),
    [[line, 'import/saved.txt#2', 'support', null]],
  )
  assert.ok(shown?.endsWith(`\n${line}\n`))
  assert.deepEqual((json(plan) as { verdicts: object }).verdicts, { not_json: 1 })
  assert.match(
    planned ?? '',
    /1 letter would be put back: 1 would die again \(not_json\)\.\nNothing was changed\.\n$/,
  )
  assert.deepEqual(listed(still), [first], 'a dry run changes nothing')
  assert.deepEqual(json(replayed), { dryRun: false, replayed: 1, refused: [] })
  assert.deepEqual(json(none), { total: 0, letters: [] })
  assert.deepEqual(
    listed(resolved).map((letter) => [letter.address, letter.at, letter.resolution?.outcome]),
    [[first.address, first.at, 'replayed']],
  )

  await world.carryOn()
  const [again] = await world.run([['dead', 'list', '--json']])
  const [second = assert.fail()] = listed(again)
  assert.deepEqual([second.id, second.replays, listed(again).length], [id, 1, 1])
  assert.notEqual(second.address, first.address)

  const reason = 'cut off at the provider'
  const [, status, history, gone, tail] = await world.run(
    [
      ['dead', 'discard', id, '--reason', reason],
      ['status', '--json'],
      ['dead', 'show', id, '--json'],
      ['dead', 'replay', id],
      ['tail', 'dead'],
    ],
    { 3: 1 },
  )
  assert.deepEqual((json(status) as { dead: unknown }).dead, { count: 0 })
  assert.deepEqual(
    (json(history) as { letters: ListedLetter[] }).letters.map(({ resolution }) => [
      resolution?.outcome,
      resolution?.reason,
    ]),
    [
      ['replayed', null],
      ['discarded', reason],
    ],
  )
  assert.match(gone ?? '', /^chatfeed: Nothing is open any more of /)
  assert.match(tail ?? '', /"resolution":\{"outcome":"discarded".*"reason":"cut off at the provider"/)

  const records = await readCommitted(world.kafka.brokers, world.topics.dead)
  const told = records.filter(({ headers }) => 'chatfeed.resolution' in headers)
  assert.equal(told.length, 2)
  for (const { key, partition, value, headers } of told) {
    const letter = records.find(
      (record) =>
        record.partition === partition && record.offset === Number(headers['chatfeed.resolution.offset']),
    )
    assert.equal(letter?.key, key)
    assert.equal(letter?.value.toString(), line)
    assert.equal(value.length, 0)
    assert.doesNotMatch(JSON.stringify(headers), /oops|秘密|envelope/)
  }
  assert.equal(world.stored().length, 2)
})

test('letters that a newer version understands become messages: once, however often they are put back', async (t) => {
  const world = await startWorld(t)
  const { topics } = world
  // What an earlier version filed under its place; what it let die under its id; what came again, newer, meanwhile.
  const placed = raw({
    id: 'easemob:acme#helpdesk:import/x#9',
    origin: 'import/x#9',
    payload: payload('9', 'placed'),
  })
  const named = raw({ id: 'easemob:acme#helpdesk:10', payload: payload('10', 'named') })
  const old = raw({ id: 'easemob:acme#helpdesk:11', payload: payload('11', 'old') })
  const newer = {
    ...old,
    fetchedAt: 2_000,
    fingerprint: Buffer.alloc(16, 1),
    payload: payload('11', 'newer'),
  }
  const asTheyDied = [placed, named, old].map((message) => ({ ...message, payload: Buffer.from('{') }))
  await world.write(topics.raw('easemob'), [...asTheyDied, newer].map(rawRecord))
  await world.carryOn()
  await world.run([['dead', 'discard', '--all', '--reason', 'these stand in for what follows']])
  await world.write(
    topics.dead,
    [placed, named, old].map((message) => enrichLetter({ ...message, revision: 1 })),
  )

  // A process that was killed when it had put them back, before it could write that down.
  const connection = new Connection(world.kafka, silentLog)
  t.after(() => connection.close())
  const dead = await DeadTopic.open(connection, codecs, topics.dead)
  for await (const letter of dead.read(await findOpen(dead, {}))) {
    const replay = replayOf(letter, { codecs, topics, providers: providersByName })
    assert.ok('topic' in replay)
    const headers = Object.fromEntries(replay.headers.map(({ key, value }) => [key, value]))
    await world.write(replay.topic, [{ ...replay, headers }])
  }
  const [open, replay, list] = await world.run([
    ['dead', 'list', '--json'],
    ['dead', 'replay', '--all', '--json'],
    ['dead', 'list', '--json'],
  ])
  await world.carryOn()
  assert.equal(listed(open).length, 3)
  assert.deepEqual(json(replay), { dryRun: false, replayed: 3, refused: [] })
  assert.deepEqual(json(list), { total: 0, letters: [] })
  const [after] = await world.run([['dead', 'list', '--json']])
  assert.deepEqual(json(after), { total: 0, letters: [] })

  const messages = await world.readMessages()
  assert.deepEqual(messages.map(({ id, revision, text }) => `${id} ${revision} ${text}`).sort(), [
    'easemob:acme#helpdesk:10 2 named',
    'easemob:acme#helpdesk:11 2 newer',
    'easemob:acme#helpdesk:9 1 placed',
  ])
  assert.deepEqual(
    messages.find(({ id }) => id.endsWith(':9'))?.origin,
    'import/x#9',
    'the audit finds it under the place it had',
  )
  assert.deepEqual(world.stored(), [
    'easemob:acme#helpdesk:10 2',
    'easemob:acme#helpdesk:11 2',
    'easemob:acme#helpdesk:9 1',
  ])

  await t.test('another copy of a message that got its id by a replay is a repeat', async () => {
    const { fingerprint } = providersByName.get('easemob')!.identify(placed.payload)
    const copy = raw({
      id: 'easemob:acme#helpdesk:9',
      fingerprint,
      fetchedAt: 3_000,
      payload: placed.payload,
    })
    await world.write(topics.raw('easemob'), [rawRecord(copy)])
    await world.carryOn()
    assert.equal((await world.readMessages()).length, 3)
  })

  await t.test('a letter whose replay was not acknowledged stays open', async () => {
    await world.write(topics.dead, [enrichLetter({ ...named, revision: 2 })])
    const narrow = `${topics.raw('easemob')}.narrow`
    const config = { 'max.message.bytes': '64' }
    await ensureTopics(world.kafka, silentLog, [
      { name: narrow, partitions: 1, replicationFactor: 1, config },
    ])
    const now = await DeadTopic.open(connection, codecs, topics.dead)
    const options = {
      codecs,
      topics: { ...topics, raw: () => narrow },
      providers: providersByName,
      kafka: world.kafka,
      log: silentLog,
      deadTopic: topics.dead,
      signal: new AbortController().signal,
    }
    await assert.rejects(replayLetters(now.read(await findOpen(now, {})), options), {
      code: 'kafka_message_too_large',
    })
    assert.equal(await (await DeadTopic.open(connection, codecs, topics.dead)).count(), 1)
  })

  await t.test(
    'a signal in the middle leaves the rest open, and what was put back is written down',
    async () => {
      await world.write(topics.dead, [enrichLetter({ ...named, revision: 3 })])
      const stopping = new AbortController()
      const now = await DeadTopic.open(connection, codecs, topics.dead, stopping.signal)
      const found = await findOpen(now, {})
      assert.equal(found.length, 2)
      async function* interrupted() {
        for await (const letter of now.read(found)) {
          yield letter
          stopping.abort()
        }
      }
      const { replayed } = await replayLetters(interrupted(), {
        codecs,
        topics,
        providers: providersByName,
        kafka: world.kafka,
        log: silentLog,
        deadTopic: topics.dead,
        signal: stopping.signal,
      })
      assert.equal(replayed, 1)
      assert.equal(await (await DeadTopic.open(connection, codecs, topics.dead)).count(), 1)
    },
  )
})

test('foreign bytes in a raw topic die, go back as they were, and die again; what has no key is only discarded', async (t) => {
  const world = await startWorld(t)
  const { topics } = world
  const foreign = { key: Buffer.from('strange'), value: Buffer.from([0xde, 0xad, 0xbe, 0xef]) }
  const keyless = { key: null, value: Buffer.from('no key') }
  await world.write(topics.raw('polyv'), [foreign, keyless])
  await world.carryOn()
  const [before, refused] = await world.run(
    [
      ['dead', 'list', '--json'],
      ['dead', 'replay', '--all', '--json'],
    ],
    { 1: 1 },
  )
  await world.carryOn()
  const [after] = await world.run([['dead', 'list', '--json']])
  assert.deepEqual(
    listed(before)
      .map(({ id, stage, replays, topic }) => [id, stage, replays, topic])
      .sort(),
    [
      [null, 'dedup', 0, topics.raw('polyv')],
      ['strange', 'dedup', 0, topics.raw('polyv')],
    ],
  )
  const { address } = listed(before).find(({ id }) => id === null) ?? assert.fail()
  assert.deepEqual(json(refused), {
    dryRun: false,
    replayed: 1,
    refused: [{ reason: 'It has no key or no value.', count: 1, first: address }],
  })
  assert.deepEqual(
    listed(after)
      .map(({ id, replays }) => [id, replays])
      .sort(),
    [
      [null, 0],
      ['strange', 1],
    ],
  )
  const [, left] = await world.run([
    ['dead', 'discard', address, '--reason', 'no key'],
    ['dead', 'list', '--json'],
  ])
  assert.deepEqual(ids(listed(left)), ['strange'])
  const bytes = (await readCommitted(world.kafka.brokers, topics.raw('polyv')))
    .filter(({ key }) => key === 'strange')
    .map(({ value }) => value.toString('hex'))
  assert.deepEqual(bytes, ['deadbeef', 'deadbeef'])
})

test('letters are chosen by code, stage, source and time, or by name; a wrong name changes nothing', async (t) => {
  const world = await startWorld(t)
  const letters = ['a', 'b', 'c'].map((name) =>
    enrichLetter(
      raw({ id: `easemob:t:${name}`, source: name === 'c' ? 'other' : 'support', payload: Buffer.from('{') }),
    ),
  )
  await world.write(world.topics.dead, [...letters, dedupLetter(Buffer.from('d'), Buffer.from('?'))])
  const choices: [string[], string[]][] = [
    [[], ['d', 'easemob:t:a', 'easemob:t:b', 'easemob:t:c']],
    [['--code', 'unknown_schema'], ['d']],
    [
      ['--stage', 'enrich'],
      ['easemob:t:a', 'easemob:t:b', 'easemob:t:c'],
    ],
    [['--source', 'other'], ['easemob:t:c']],
    [
      ['--source', 'support', '--code', 'not_known_yet', '--from', '1h'],
      ['easemob:t:a', 'easemob:t:b'],
    ],
    [['--to', '1h'], []],
    [['--code', 'no such code'], []],
  ]
  const found = await world.run(choices.map(([options]) => ['dead', 'list', '--json', ...options]))
  assert.deepEqual(
    found.map((text) => ids(listed(text))),
    choices.map(([, expected]) => expected),
  )
  const [limited, unknown, unknownToo, , rest, , named] = await world.run(
    [
      ['dead', 'list', '--json', '--limit', '3'],
      ['dead', 'replay', 'easemob:t:a', 'easemob:t:z'],
      ['dead', 'show', '0:999'],
      ['dead', 'discard', '--all', '--source', 'support', '--reason', 'tried'],
      ['dead', 'list', '--json'],
      ['dead', 'discard', 'd', 'easemob:t:c', '--reason', 'tried'],
      ['dead', 'list'],
    ],
    { 1: 1, 2: 1 },
  )
  const { total, letters: three } = json(limited) as LetterList
  assert.deepEqual([total, three.length], [4, 3])
  assert.match(unknown ?? '', /^chatfeed: There is no dead letter easemob:t:z\. chatfeed dead list shows /)
  assert.match(unknownToo ?? '', /There is no dead letter 0:999\./)
  assert.deepEqual(ids(listed(rest)), ['d', 'easemob:t:c'])
  assert.equal(named, '0 open letters\n')
  assert.deepEqual(await readCommitted(world.kafka.brokers, world.topics.raw('easemob')), [])
})
