import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ChatfeedError, explain } from '../../../../src/errors.ts'
import { openSink } from '../../../../src/sinks/index.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { messageSet } from '../../../support/message-set.ts'
import { sinkContext } from '../../../support/sink-context.ts'
import { type Answer, type Asked, startStandIn } from './stand-in.ts'

async function prepare(t: TestContext, answer: (asked: Asked) => Answer | undefined = () => undefined) {
  const standIn = await startStandIn(t, (asked) => answer(asked) ?? usual(asked))
  const config = {
    name: 'analytics',
    type: 'clickhouse',
    url: standIn.url,
    username: 'feed',
    password: 's3cret',
    database: 'chat`s',
    table: 'messages',
  } as const
  return { ...standIn, open: () => openSink(config, sinkContext('cluster/messages')) }
}

/** The tables are there and empty. */
function usual({ statement }: Asked): Answer {
  if (statement.includes('system.databases')) return [{ 1: 1 }]
  return statement.includes('system.tables') ? [{ comment: 'chatfeed 1' }] : []
}

test('rows go first, under a token of their offsets and content, then the position', async (t) => {
  const { open, asked } = await prepare(t)
  const sink = await open()
  t.after(() => sink.close())
  asked.length = 0
  const batch = [
    exampleMessage({ text: 'half \ud83d' }),
    exampleMessage({ id: 'e:a#b:2', data: '{"n":1.0}' }),
  ]
  await sink.write(messageSet(3, batch, 12))
  assert.equal(asked.length, 2)
  const [rows, position] = asked as [Asked, Asked]
  assert.equal(rows.statement, 'insert into `chat\\`s`.`messages` format JSONEachRow')
  assert.deepEqual([rows.path, rows.login], ['/click', 'feed:s3cret'])
  const { insert_deduplication_token: token = '', ...settings } = rows.settings
  assert.match(token, /^cluster\/messages-messages-3-10-11-\d+$/)
  assert.deepEqual(settings, {
    wait_end_of_query: '1',
    async_insert: '0',
    insert_deduplicate: '1',
    max_partitions_per_insert_block: '0',
  })
  assert.deepEqual(
    rows.rows.map(({ id, revision, sent_at, text, data }) => ({ id, revision, sent_at, text, data })),
    [
      { id: batch[0]!.id, revision: 1, sent_at: '2026-11-23 02:00:00.000', text: 'half \ufffd', data: null },
      {
        id: 'e:a#b:2',
        revision: 1,
        sent_at: '2026-11-23 02:00:00.000',
        text: batch[1]!.text,
        data: '{"n":1.0}',
      },
    ],
  )
  assert.equal(position.statement, 'insert into `chat\\`s`.`messages_positions` format JSONEachRow')
  assert.deepEqual(position.rows, [{ stream: 'cluster/messages', partition: 3, next_offset: 12 }])

  const again = await open()
  t.after(() => again.close())
  await again.write(messageSet(3, batch, 12))
  await again.close()
  const tokens = asked
    .filter((one) => one.rows.length === 2)
    .map((one) => one.settings['insert_deduplication_token'])
  assert.deepEqual(tokens, [token, token])
})

test('the position does not move when the rows were not taken', async (t) => {
  let isBusy = true
  const { open, asked } = await prepare(t, ({ statement }) =>
    isBusy && statement.includes('`messages` format') ? { status: 500, exception: 252 } : undefined,
  )
  const sink = await open()
  t.after(() => sink.close())
  const isBusyError = (error: unknown) => error instanceof ChatfeedError && error.code === 'clickhouse_busy'
  await assert.rejects(sink.write(messageSet(0, [exampleMessage()], 1)), isBusyError)
  assert.deepEqual(
    asked.filter(({ statement }) => statement.includes('_positions` format')),
    [],
  )
  isBusy = false
  await sink.write(messageSet(0, [exampleMessage()], 1))
  assert.equal(asked.at(-1)?.rows[0]?.['next_offset'], 1)
})

test('every refusal has a verdict, which tells neither the password nor a part of a row', async (t) => {
  let refusal: Answer = []
  const { open } = await prepare(t, ({ rows }) => (rows.length > 0 ? refusal : undefined))
  const sink = await open()
  t.after(() => sink.close())
  const table: [status: number, exceptions: (number | undefined)[], remedy: string, code: string][] = [
    [403, [516, undefined], 'fatal', 'clickhouse_login'],
    [403, [497], 'transient', 'clickhouse_forbidden'],
    [500, [159, 202, 241, 252], 'transient', 'clickhouse_busy'],
    [429, [undefined], 'transient', 'clickhouse_busy'],
    [500, [164, 242, 999], 'transient', 'clickhouse_read_only'],
    [500, [243], 'transient', 'clickhouse_disk_full'],
    [404, [60, 81], 'transient', 'store_gone'],
    [500, [16, 27, 117], 'fatal', 'clickhouse_altered'],
    [500, [1], 'transient', 'clickhouse_refused'],
    [502, [undefined], 'transient', 'clickhouse_away'],
  ]
  for (const [status, exceptions, remedy, code] of table) {
    for (const exception of exceptions) {
      refusal = { status, words: 'private words', ...(exception !== undefined && { exception }) }
      await assert.rejects(sink.write(messageSet(0, [exampleMessage()], 1)), (error: unknown) => {
        assert.ok(error instanceof ChatfeedError)
        assert.deepEqual([error.remedy, error.code], [remedy, code], `${status} ${exception}`)
        assert.doesNotMatch(explain(error), /private|s3cret/)
        return true
      })
    }
  }
})

test('a server that is away is waited for', async (t) => {
  const { open, stop } = await prepare(t)
  const sink = await open()
  t.after(() => sink.close())
  stop()
  const isAway = (error: unknown) =>
    error instanceof ChatfeedError && error.remedy === 'transient' && error.code === 'clickhouse_away'
  await assert.rejects(sink.write(messageSet(0, [exampleMessage()], 1)), isAway)
  await assert.rejects(open(), isAway)
})
