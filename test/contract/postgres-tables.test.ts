import assert from 'node:assert/strict'
import { after, test, type TestContext } from 'node:test'
import { explain, ChatfeedError } from '../../src/errors.ts'
import { checkSink, openSink, storedRevisions, storedRows } from '../../src/sinks/index.ts'
import type { PostgresConfig } from '../../src/sinks/postgres/config.ts'
import type { Sink } from '../../src/sinks/sink.ts'
import { messageSet } from '../support/message-set.ts'
import { startPostgres } from '../support/postgres.ts'
import { type OpenOptions, sinkContext } from '../support/sink-context.ts'
import { exampleMessage } from './sink-suite.ts'

const server = await startPostgres({ after })
let databases = 0

/** A database of its own. */
async function prepare(t: TestContext) {
  const database = `d${databases++}`
  await server.query(`create database ${database}`)
  const config: PostgresConfig = {
    name: 'warehouse',
    type: 'postgres',
    url: server.urlOf(database),
    schema: 'chatfeed',
  }
  return {
    database,
    config,
    open: async (changes: Partial<PostgresConfig> = {}, options: OpenOptions = {}): Promise<Sink> => {
      const sink = await openSink({ ...config, ...changes }, sinkContext('cluster/messages', options))
      t.after(() => sink.close())
      return sink
    },
    rows: (text: string) => server.query<Record<string, unknown>>(text, database),
  }
}

const failsAs = (remedy: string, code: string, words?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ChatfeedError, String(error))
  assert.deepEqual([error.remedy, error.code], [remedy, code])
  if (words) assert.match(explain(error), words)
  assert.doesNotMatch(explain(error), /only-for-tests/)
  return true
}

test('many processes make the tables at once', async (t) => {
  const { open, rows } = await prepare(t)
  const sinks = await Promise.all(Array.from({ length: 8 }, () => open()))
  await Promise.all(sinks.map((sink, at) => sink.write(messageSet(at, [exampleMessage()], 1))))
  assert.deepEqual(await rows('select version from chatfeed.chatfeed_version'), [{ version: 1 }])
  assert.equal(await sinks[0]!.rows(), 1)
})

test('tables of another program and of a newer chatfeed are refused, and left as they are', async (t) => {
  const { config, open, rows } = await prepare(t)
  await rows('create schema other; create table other.messages (id int)')
  await assert.rejects(open({ schema: 'other' }), failsAs('fatal', 'postgres_foreign', /another `schema`/))
  await assert.rejects(storedRows({ ...config, schema: 'other' }), failsAs('fatal', 'postgres_foreign'))
  assert.deepEqual(await rows('select * from other.messages'), [])
  await (await open()).close()
  await rows('update chatfeed.chatfeed_version set version = 99')
  await assert.rejects(open(), failsAs('fatal', 'postgres_newer', /Update chatfeed/))
})

test('what is not there yet is not counted, and not made by those who only look', async (t) => {
  const { config, rows } = await prepare(t)
  assert.equal(await storedRows(config), null)
  assert.equal(await storedRevisions(config), null)
  const findings = await checkSink(config)
  assert.deepEqual(
    findings.map(({ level, about }) => `${level} ${about}`),
    ['ok server', 'ok tables'],
  )
  assert.deepEqual(await rows(`select from pg_namespace where nspname = 'chatfeed'`), [])
})

test('every column holds what the message says, numbers with all their digits', async (t) => {
  const { open, rows } = await prepare(t)
  const sink = await open()
  const data = String.raw`{"big":12345678901234567890.123456789012345678901,"half":"\ud83d","nul":"\u0000","slash":"\\u0000"}`
  const message = exampleMessage({
    data,
    text: 'tab\there\\N',
    location: { latitude: 31.23, longitude: 121.47, address: null },
  })
  const times = [2 ** 52, -(2 ** 52), 1_795_399_200_123]
  const late = times.map((sentAt, at) => exampleMessage({ id: `e:a#b:${at}`, sentAt }))
  await sink.write(messageSet(0, [message, ...late], 4))
  const [row] =
    await rows(`select *, data->>'big' as big, data->>'slash' as slash, sent_at::text as at, revision as rev
                            from chatfeed.messages where id = '${message.id}'`)
  assert.ok(row)
  assert.equal(row['big'], '12345678901234567890.123456789012345678901')
  assert.equal(row['slash'], String.raw`\u0000`)
  assert.deepEqual(
    [row['text'], row['latitude'], row['sender_name'], row['conversation_id'], row['attachments']],
    [message.text, 31.23, '林月', message.conversation.id, []],
  )
  assert.deepEqual(await rows(`select sent_at from chatfeed.messages where id like 'e:a#b:%' order by id`), [
    { sent_at: Infinity },
    { sent_at: -Infinity },
    { sent_at: new Date(1_795_399_200_123) },
  ])
})

test('many refused messages among good ones are found, and no other is', async (t) => {
  const { open } = await prepare(t)
  const refused: string[] = []
  const sink = await open(
    {},
    {
      refuse: (_records, { id }, error) => {
        assert.doesNotMatch(explain(error), /1e200000/)
        refused.push(id)
        return Promise.resolve()
      },
    },
  )
  const isBad = (at: number) => at % 37 === 5
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  const batch = Array.from({ length: 300 }, (_, at) =>
    exampleMessage({
      id: `e:a#b:${at}`,
      data: isBad(at) ? [deep, '{"n":1e200000}', '{broken'][at % 3]! : '{}',
    }),
  )
  const longId = exampleMessage({
    id: `e:a#b:${Array.from({ length: 9_000 }, (_, at) => String((at * 7_919) % 9_973)).join()}`,
  })
  await sink.write(messageSet(0, [...batch, longId], 301))
  assert.deepEqual(
    refused.toSorted(),
    [...batch.filter((_, at) => isBad(at)), longId].map(({ id }) => id).sort(),
  )
  assert.equal(await sink.position(0), 301)
  assert.equal(await sink.rows(), 301 - refused.length)
})

test('two processes write the same messages at once, in opposite order', async (t) => {
  const { open } = await prepare(t)
  const [one, two] = [await open(), await open()]
  const batch = Array.from({ length: 2_000 }, (_, at) => exampleMessage({ id: `e:a#b:${at}` }))
  for (let round = 0; round < 5; round++) {
    const newer = batch.map((message) => ({ ...message, revision: round + 1 }))
    await Promise.all([
      one.write(messageSet(0, newer, 2_000 * (round + 1))),
      two.write(messageSet(1, newer.toReversed(), 2_000 * (round + 1))),
    ])
  }
  assert.equal(await one.rows(), 2_000)
})

test('a store that was set back, or lost its tables, is not written past what it lacks', async (t) => {
  const { open, rows } = await prepare(t)
  const sink = await open()
  assert.equal(await sink.position(0), null)
  await sink.write(messageSet(0, [exampleMessage()], 10))
  await rows('update chatfeed.positions set next_offset = 4')
  await assert.rejects(
    sink.write(messageSet(0, [exampleMessage()], 20)),
    failsAs('transient', 'store_set_back'),
  )
  assert.equal(await sink.position(0), 4)
  await sink.write(messageSet(0, [exampleMessage()], 20))
  assert.equal(await sink.position(0), 20)
  await rows('delete from chatfeed.positions')
  await assert.rejects(
    sink.write(messageSet(0, [exampleMessage()], 30)),
    failsAs('transient', 'store_set_back'),
  )
  await rows('drop schema chatfeed cascade')
  await assert.rejects(sink.write(messageSet(0, [exampleMessage()], 30)), failsAs('transient', 'store_gone'))
  assert.equal(await (await open()).position(0), null)
})

test('connections that the server ended are made anew', async (t) => {
  const { database, open } = await prepare(t)
  const sink = await open()
  await sink.write(messageSet(0, [exampleMessage()], 1))
  await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`)
  await sink.write(messageSet(0, [], 2)).catch(failsAs('transient', 'postgres_away'))
  await sink.write(messageSet(0, [], 3))
  assert.equal(await sink.position(0), 3)
})

test('what is wrong with the server, the login or the rights is said with its mend', async (t) => {
  const { config, database, open, rows } = await prepare(t)
  const as = (user: string) => `postgres://${user}@${new URL(server.url).host}/${database}`
  await assert.rejects(
    open({ url: as('postgres:wrong') }),
    failsAs('fatal', 'postgres_login', /`url` of the sink/),
  )
  await assert.rejects(open({ url: server.urlOf('nowhere') }), failsAs('transient', 'postgres_no_database'))
  const withTls = server.urlOf(database, '?sslmode=require')
  await assert.rejects(open({ url: withTls }), failsAs('fatal', 'postgres_tls', /sslmode/))
  await assert.rejects(
    open({ url: 'postgres://u:only-for-tests@127.0.0.1:1/x' }),
    failsAs('transient', 'postgres_away'),
  )

  await rows(`create role guest login password 'only-for-tests'; revoke all on schema public from public`)
  const guest = { url: as('guest:only-for-tests') }
  await assert.rejects(open(guest), failsAs('transient', 'postgres_forbidden', /Grant/))
  const findings = await checkSink({ ...config, ...guest })
  assert.deepEqual(
    findings.map(({ level, about }) => `${level} ${about}`),
    ['ok server', 'fault rights'],
  )
  await rows('create schema chatfeed authorization guest')
  const sink = await open(guest)
  await rows(`revoke temporary on database ${database} from public`)
  await assert.rejects(
    sink.write(messageSet(0, [exampleMessage()], 1)),
    failsAs('transient', 'postgres_forbidden'),
  )
  await rows(
    `grant temporary on database ${database} to guest; alter role guest set default_transaction_read_only = on`,
  )
  const readOnly = await open(guest)
  await assert.rejects(
    readOnly.write(messageSet(0, [exampleMessage()], 1)),
    failsAs('transient', 'postgres_read_only'),
  )

  await server.query(`create database latin encoding 'LATIN1' template template0`)
  await assert.rejects(open({ url: server.urlOf('latin') }), failsAs('fatal', 'postgres_encoding', /UTF8/))
  const [fault] = await checkSink({ ...config, url: server.urlOf('latin') })
  assert.equal(fault?.level, 'fault')
})
