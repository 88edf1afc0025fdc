import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type ChatfeedError, explain } from '../../../../src/errors.ts'
import { createLog } from '../../../../src/log.ts'
import type { Turn } from '../../../../src/kafka/reader.ts'
import { checkSink, openSink, sinkConfig } from '../../../../src/sinks/index.ts'
import { temporaryFolder } from '../../../support/chatfeed.ts'
import { messageSet } from '../../../support/message-set.ts'
import { sinkContext } from '../../../support/sink-context.ts'
import { WebhookReceiver } from '../../../support/webhook-receiver.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'

async function arena(t: TestContext, settings: Record<string, unknown> = {}) {
  const receiver = await WebhookReceiver.start(t)
  const dataDir = temporaryFolder(t)
  const logFile = join(dataDir, 'log')
  const { url, secret } = receiver
  const config = sinkConfig.parse({ name: 'hook', type: 'webhook', url, secret, ...settings })
  const refused: string[] = []
  const context = {
    ...sinkContext('cluster/messages', {
      refuse: (_records, { id }, error) => {
        assert.equal(error.remedy, 'message')
        refused.push(id)
        return Promise.resolve()
      },
    }),
    log: createLog({ level: 'debug', file: logFile }),
    dataDir,
  }
  const open = async () => {
    const sink = await openSink(config, context)
    t.after(() => sink.close())
    return sink
  }
  const stop = new AbortController()
  const reached: number[] = []
  const turn: Turn = {
    signal: stop.signal,
    reached: (offset) => {
      reached.push(offset)
      return Promise.resolve()
    },
  }
  return {
    receiver,
    config,
    open,
    stop,
    turn,
    reached,
    refused,
    keys: () => receiver.requests.map(({ key }) => key),
    logged: () => readFileSync(logFile, 'utf8'),
    deliveries: () =>
      readFileSync(join(dataDir, 'deliveries', 'hook.ndjson'), 'utf8')
        .trim()
        .split('\n')
        .map(
          (line) =>
            JSON.parse(line) as { outcome: string; status: number | null; attempt: number; messages: number },
        ),
  }
}

/** Messages `from` up to before `to` of partition 4, each at its own offset. */
const set = (from: number, to: number) =>
  messageSet(
    4,
    Array.from({ length: to - from }, (_, n) => exampleMessage({ id: `e:a#b:${from + n}` })),
    to,
  )
const ids = (...numbers: number[]) => numbers.map((number) => `e:a#b:${number}`)

test('messages go in batches, each named by its offsets, and each counts as soon as it is taken', async (t) => {
  const { receiver, open, turn, reached, keys } = await arena(t, { batch: 4 })
  const sink = await open()
  await sink.write(set(10, 20), turn)
  assert.deepEqual(keys(), ['messages-4-10-13', 'messages-4-14-17', 'messages-4-18-19'])
  assert.deepEqual(reached, [14, 18, 20])
  assert.equal(receiver.stored.size, 10)
  const [first] = receiver.requests
  assert.equal(first?.path, '/hook')
  assert.equal(first.headers['content-type'], 'application/json')
  assert.match(String(first.headers['chatfeed-signature']), /^t=\d{13},v1=[0-9a-f]{64}$/)
})

test('a batch that was not taken comes again with the same messages and key, though more have come', async (t) => {
  const { receiver, open, turn, keys, reached, deliveries } = await arena(t)
  const sink = await open()
  receiver.answer = () => 503
  await assert.rejects(sink.write(set(10, 13), turn), { code: 'webhook_503', remedy: 'transient' })
  receiver.answer = () => 200
  await sink.write(set(10, 30), turn)
  assert.deepEqual(keys(), ['messages-4-10-12', 'messages-4-10-12', 'messages-4-13-29'])
  assert.deepEqual(reached, [13, 30])
  assert.deepEqual(
    deliveries().map(({ outcome, status, attempt, messages }) => [outcome, status, attempt, messages]),
    [
      ['failed', 503, 1, 3],
      ['delivered', 200, 2, 3],
      ['delivered', 200, 1, 17],
    ],
  )
})

test('messages that the receiver never takes are found by halves and refused, in the order of all', async (t) => {
  const { receiver, open, turn, refused, reached } = await arena(t)
  const sink = await open()
  const poison = ids(13, 61)
  receiver.answer = ({ messages }) => (messages.some(({ id }) => poison.includes(id)) ? 422 : 200)
  const stored = await sink.write(set(0, 100), turn)
  assert.deepEqual(refused, poison)
  assert.equal(stored.length, 98)
  assert.deepEqual(
    receiver.accepted,
    ids(...Array(100).keys())
      .filter((id) => !poison.includes(id))
      .map((id) => `${id} 1`),
  )
  assert.deepEqual(
    reached,
    reached.toSorted((a, b) => a - b),
  )
  assert.ok(receiver.requests.length < 40, `${receiver.requests.length} requests`)
})

test('a batch that is too large is sent in parts', async (t) => {
  const { receiver, open, turn, refused } = await arena(t)
  const sink = await open()
  receiver.answer = ({ messages }) => (messages.length > 30 ? 413 : 200)
  await sink.write(set(0, 100), turn)
  assert.deepEqual(refused, [])
  assert.equal(receiver.stored.size, 100)
  assert.equal(receiver.requests.length, 7)
})

test('a receiver that takes nothing at all makes few dead letters, and the rest waits for it', async (t) => {
  const { receiver, open, turn, refused, reached } = await arena(t)
  const sink = await open()
  receiver.answer = () => 400
  await assert.rejects(sink.write(set(0, 100), turn), { code: 'webhook_refuses_all', remedy: 'transient' })
  assert.equal(refused.length, 10)
  assert.ok(receiver.requests.length < 40, `${receiver.requests.length} requests`)
  receiver.answer = () => 200
  await sink.write(set(reached.at(-1) ?? 0, 100), turn)
  assert.equal(receiver.stored.size, 90)
})

test('a wrong setting refuses no message, and its mend is told', async (t) => {
  for (const [status, mend] of [
    [301, /final address/],
    [401, /secret/],
    [403, /secret/],
    [404, /path in the url/],
    [405, /path in the url/],
    [410, /gone for good/],
    [415, /what the receiver asks for/],
  ] as const) {
    const { receiver, open, turn, refused } = await arena(t)
    receiver.answer = () => ({ status, headers: { location: '/elsewhere' } })
    const sink = await open()
    await assert.rejects(sink.write(set(0, 3), turn), (error: ChatfeedError) => {
      assert.equal(error.remedy, 'transient')
      assert.match(error.mend ?? '', mend, String(status))
      return true
    })
    assert.equal(receiver.requests.length, 1)
    assert.deepEqual(refused, [])
  }
})

test('the waiting time of a busy receiver is kept', async (t) => {
  const { receiver, open, turn } = await arena(t)
  const sink = await open()
  receiver.answer = () => ({ status: 429, headers: { 'retry-after': '7' } })
  await assert.rejects(sink.write(set(0, 3), turn), { code: 'webhook_429', retryAfterMs: 7_000 })
  await assert.rejects(sink.write(set(0, 3), turn), { code: 'webhook_429' })
  assert.equal(receiver.requests.length, 1)
})

test('a receiver that does not answer in time is asked again', async (t) => {
  const { receiver, open, turn } = await arena(t, { timeout: '150ms' })
  const sink = await open()
  receiver.answer = () => new Promise(() => undefined)
  await assert.rejects(sink.write(set(0, 3), turn), { code: 'webhook_timeout', remedy: 'transient' })
})

test('told to end, it finishes the request that is under way and sends no other', async (t) => {
  const { receiver, open, stop, turn, reached } = await arena(t, { batch: 2 })
  const sink = await open()
  receiver.answer = () => {
    stop.abort()
    return 200
  }
  await assert.rejects(sink.write(set(0, 6), turn), { code: 'stopped', remedy: 'transient' })
  assert.deepEqual(reached, [2])
  assert.equal(receiver.requests.length, 1)
})

test('no secret, no account, no path and no text is logged or told', async (t) => {
  const own = await arena(t)
  const { receiver, open, turn, logged, deliveries } = own
  const sink = await open()
  await sink.write(set(0, 3), turn)
  receiver.answer = () => 500
  const error = await sink.write(set(3, 5), turn).then(() => null, explain)
  for (const text of [logged(), String(error), JSON.stringify(deliveries())])
    for (const secret of [receiver.secret, '/hook', '退款', 'private words'])
      assert.equal(text.includes(secret), false, secret)
  assert.match(logged(), /webhook delivery/)
})

test('an account in the address becomes a header, and no secret means no signature', async (t) => {
  const receiver = await WebhookReceiver.start(t)
  const url = receiver.url.replace('http://', 'http://ann:pass%20word@')
  const findings = await checkSink(sinkConfig.parse({ name: 'hook', type: 'webhook', url }))
  assert.deepEqual(
    findings.map(({ level, about }) => `${level} ${about}`),
    ['ok receiver', 'warning signature'],
  )
  assert.equal(JSON.stringify(findings).includes('ann'), false)
})

test('an entry needs an address, and is checked', () => {
  const faults = (entry: Record<string, unknown>) =>
    sinkConfig
      .safeParse({ name: 'hook', type: 'webhook', ...entry })
      .error?.issues.map(({ path }) => path.join())
  assert.deepEqual(faults({}), ['url'])
  assert.deepEqual(faults({ url: 'ftp://a.example' }), ['url'])
  assert.deepEqual(faults({ url: 'https://a.example', batch: 0, timeout: '1h' }), ['batch', 'timeout'])
  assert.deepEqual(sinkConfig.parse({ name: 'hook', type: 'webhook', url: 'https://a.example' }), {
    name: 'hook',
    type: 'webhook',
    url: 'https://a.example',
    batch: 100,
    timeout: 10_000,
  })
})
