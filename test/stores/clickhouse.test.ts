import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ChatfeedError } from '../../src/errors.ts'
import { checkSink, openSink, rewindSink, storedRevisions, storedRows } from '../../src/sinks/index.ts'
import type { ClickhouseConfig } from '../../src/sinks/clickhouse/config.ts'
import { exampleMessage, sinkSuite, type StoredMessage } from '../contract/sink-suite.ts'
import { messageSet } from '../support/message-set.ts'
import { sinkContext } from '../support/sink-context.ts'
import { startChdb } from '../support/stores/chdb.ts'

const chdb = await startChdb({ after })
let databases = 0

function newConfig(): ClickhouseConfig {
  const database = `test ${databases++}` // a name that must be quoted
  return {
    name: 'analytics',
    type: 'clickhouse',
    url: chdb.url,
    username: 'default',
    password: '',
    database,
    table: 'messages',
  }
}

sinkSuite('clickhouse (chdb)', (t) => {
  const config = newConfig()
  return Promise.resolve({
    open: async (stream, options = {}) => {
      const sink = await openSink(
        { ...config, ...(options.where && { where: options.where }) },
        sinkContext(stream, options),
      )
      t.after(() => sink.close())
      return sink
    },
    rewind: (stream, to) => rewindSink(config, stream, to),
    revisions: () => storedRevisions(config),
    async stored() {
      const rows = await chdb.query<{ id: string } & StoredMessage>(
        `select id, revision, text from \`${config.database}\`.messages final`,
      )
      return new Map(rows.map(({ id, revision, text }) => [id, { revision, text }]))
    },
  })
})

test('an insert that is repeated is not stored twice, also before the parts are merged', async (t) => {
  const config = newConfig()
  const table = `\`${config.database}\`.messages`
  const sink = await openSink(config, sinkContext('cluster/messages'))
  t.after(() => sink.close())
  const batch = [exampleMessage()]
  for (let time = 0; time < 3; time++) await sink.write(messageSet(0, batch, 1))
  const count = async () => (await chdb.query<{ n: number }>(`select count() as n from ${table}`))[0]?.n
  assert.equal(Number(await count()), 1)
  await sink.write(messageSet(0, [exampleMessage({ text: 'another' })], 1))
  assert.equal(Number(await count()), 2)
  await rewindSink(config, 'cluster/messages', null)
  assert.equal(await sink.position(0), null)
  await sink.write(messageSet(0, batch, 1))
  assert.equal(Number(await count()), 1, 'an emptied table forgets what it was given')
})

test('a store that was set back is not written past what it lacks', async (t) => {
  const config = newConfig()
  const sink = await openSink(config, sinkContext('cluster/messages'))
  t.after(() => sink.close())
  await sink.write(messageSet(0, [exampleMessage()], 10))
  await rewindSink(config, 'cluster/messages', new Map([[0, 4]]))
  const isSetBack = (error: unknown) => error instanceof ChatfeedError && error.code === 'store_set_back'
  await assert.rejects(sink.write(messageSet(0, [exampleMessage()], 20)), isSetBack)
  assert.equal(await sink.position(0), 4)
  await sink.write(messageSet(0, [exampleMessage()], 20))
  assert.equal(await sink.position(0), 20)
})

test('times of all kinds, and months without end, are stored', async (t) => {
  const config = newConfig()
  const sink = await openSink(config, sinkContext('cluster/messages'))
  t.after(() => sink.close())
  const times = [
    -(2 ** 52),
    2 ** 52,
    1_795_399_200_123,
    ...Array.from({ length: 200 }, (_, at) => at * 2.7e9),
  ]
  await sink.write(
    messageSet(
      0,
      times.map((sentAt, at) => exampleMessage({ id: `e:a#b:${at}`, sentAt })),
      times.length,
    ),
  )
  assert.equal(await sink.rows(), times.length)
  const rows = await chdb.query<{ sent_at: string }>(
    `select toString(sent_at) as sent_at from \`${config.database}\`.messages where id in ('e:a#b:0', 'e:a#b:1', 'e:a#b:2') order by id`,
  )
  assert.deepEqual(
    rows.map(({ sent_at }) => sent_at),
    ['1900-01-01 00:00:00.000', '2299-12-31 23:59:59.999', '2026-11-23 02:00:00.123'],
  )
})

test('tables of another program and of a newer chatfeed are refused; what is not there is not made by a look', async () => {
  const config = newConfig()
  const database = `\`${config.database}\``
  const failsAs = (code: string) => (error: unknown) => error instanceof ChatfeedError && error.code === code
  assert.equal(await storedRows(config), null)
  assert.deepEqual(
    (await checkSink(config)).map(({ level, about }) => `${level} ${about}`),
    ['ok server', 'ok tables'],
  )
  await assert.rejects(chdb.query(`select * from ${database}.messages`))
  await (await openSink(config, sinkContext('cluster/messages'))).close()
  const statement = (text: string) =>
    fetch(chdb.url, { method: 'POST', body: text }).then((answer) => answer.text())
  assert.equal(await statement(`alter table ${database}.messages modify comment 'chatfeed 9'`), '')
  await assert.rejects(openSink(config, sinkContext('cluster/messages')), failsAs('clickhouse_newer'))
  assert.equal(await statement(`create table ${database}.other (x Int8) engine = Memory`), '')
  const other = { ...config, table: 'other' }
  await assert.rejects(openSink(other, sinkContext('cluster/messages')), failsAs('clickhouse_foreign'))
  await statement(`drop table ${database}.messages`)
})
