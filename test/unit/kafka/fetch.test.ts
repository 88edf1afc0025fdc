import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import type { Connection } from '../../../src/kafka/connection.ts'
import { Fetcher } from '../../../src/kafka/fetch.ts'
import type { ProtocolCall } from '../../../src/kafka/wire.ts'
import { silentLog } from '../../../src/log.ts'
import { batchAt, texts } from './batches.ts'

interface Answer {
  topic: string
  errorCode?: number
  bytes?: Buffer
}

const notLeader = 6

/** A Fetch response, version 11, that answers for partition 0 of each topic. */
function fetchResponse(answers: readonly Answer[]): Buffer {
  const parts = [Buffer.alloc(10), int32(answers.length)] // throttle time, error code, session id
  for (const { topic, errorCode = 0, bytes = Buffer.alloc(0) } of answers) {
    const name = Buffer.from(topic)
    const head = Buffer.alloc(2)
    head.writeInt16BE(name.length)
    const partition = Buffer.alloc(30)
    partition.writeInt16BE(errorCode, 4)
    parts.push(head, name, int32(1), partition, int32(0), int32(-1), int32(bytes.length), bytes)
  }
  return Buffer.concat(parts)
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A connection to brokers that give these answers, one a request, and then none. Topic a is led by the first, b by the last. */
function brokersThatAnswer(...brokers: Answer[][][]) {
  let refreshed = 0
  let sent = 0
  const connection = {
    log: silentLog,
    leader: (topic: string) => (topic === 'a' ? 0 : brokers.length - 1),
    refresh: () => Promise.resolve(refreshed++),
    retry: (_doing: string, call: () => Promise<unknown>) => call(),
    async send(leader: number, call: ProtocolCall<unknown>): Promise<unknown> {
      sent++
      const next = brokers[leader]?.shift()
      if (!next) return new Promise(() => undefined)
      return call.response.decode(fetchResponse(next))
    },
  }
  return { connection: connection as unknown as Connection, refreshes: () => refreshed, sent: () => sent }
}

test('records beside a partition that has moved to another leader are not lost', async () => {
  const data = { topic: 'a', bytes: batchAt(0, [['k', 'v']]) }
  const { connection, refreshes } = brokersThatAnswer([
    [data, { topic: 'b', errorCode: notLeader }],
    [data, { topic: 'b' }],
  ])
  const fetcher = new Fetcher(connection)
  fetcher.seek('a', 0, 0)
  fetcher.seek('b', 0, 0)
  assert.deepEqual(await fetcher.poll(), [])
  assert.equal(refreshes(), 1)
  assert.match(fetcher.trouble ?? '', /NOT_LEADER_FOR_PARTITION/)
  const sets = await fetcher.poll()
  assert.deepEqual(sets.map(texts), [['0 k=v']])
  assert.equal(fetcher.trouble, null)
})

test('an answer for a partition that was moved meanwhile is not handed out', async () => {
  const { connection } = brokersThatAnswer([
    [{ topic: 'a', bytes: batchAt(0, [['old', '']]) }],
    [{ topic: 'a', bytes: batchAt(5, [['new', '']]) }],
  ])
  const fetcher = new Fetcher(connection)
  fetcher.seek('a', 0, 0)
  const polling = fetcher.poll()
  fetcher.seek('a', 0, 5)
  assert.deepEqual(await polling, [])
  assert.deepEqual((await fetcher.poll()).map(texts), [['5 new=']])
})

test('an offset out of range is fatal, and nothing is skipped', async () => {
  const { connection } = brokersThatAnswer([[{ topic: 'a', errorCode: 1 }]])
  const fetcher = new Fetcher(connection)
  fetcher.seek('a', 0, 99)
  await assert.rejects(fetcher.poll(), { remedy: 'fatal', code: 'offset_out_of_range', message: /99 of a-0/ })
})

test('a poll without any partition waits and ends', async () => {
  const { connection } = brokersThatAnswer([])
  assert.deepEqual(await new Fetcher(connection, { maxWaitMs: 5 }).poll(), [])
})

test('a poll ends when its signal aborts, and leaves no listener behind', async () => {
  const answers = Array.from({ length: 50 }, (_, offset) => [
    { topic: 'a', bytes: batchAt(offset, [['k', 'v']]) },
  ])
  const { connection } = brokersThatAnswer(answers)
  const fetcher = new Fetcher(connection)
  fetcher.seek('a', 0, 0)
  const stop = new AbortController()
  for (let n = 0; n < 50; n++) assert.equal((await fetcher.poll(stop.signal)).length, 1)
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
  const polling = fetcher.poll(stop.signal)
  stop.abort()
  assert.deepEqual(await polling, [])
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
})

test('a quiet broker does not hold up another one', async () => {
  const { connection } = brokersThatAnswer([], [[{ topic: 'b', bytes: batchAt(0, [['k', 'v']]) }]])
  const fetcher = new Fetcher(connection)
  fetcher.seek('a', 0, 0)
  fetcher.seek('b', 0, 0)
  assert.deepEqual((await fetcher.poll()).map(texts), [['0 k=v']])
})

test('a request that was sent ahead is answered at the next poll, and not sent twice', async () => {
  const { connection, sent } = brokersThatAnswer([
    [{ topic: 'a', bytes: batchAt(0, [['first', '']]) }],
    [{ topic: 'a', bytes: batchAt(1, [['second', '']]) }],
  ])
  const fetcher = new Fetcher(connection)
  fetcher.seek('a', 0, 0)
  assert.deepEqual((await fetcher.poll()).map(texts), [['0 first=']])
  assert.equal(sent(), 1)
  fetcher.ahead()
  assert.equal(sent(), 2)
  assert.deepEqual((await fetcher.poll()).map(texts), [['1 second=']])
  assert.equal(sent(), 2)
})

test('a leader that is not known holds up the fetch ahead only until the next poll', async () => {
  const { connection } = brokersThatAnswer([[{ topic: 'a', bytes: batchAt(0, [['k', 'v']]) }]])
  let isKnown = false
  connection.leader = () => {
    if (isKnown) return 0
    throw Object.assign(new Error('no leader'), { name: 'KafkaJSProtocolError', retriable: true })
  }
  const fetcher = new Fetcher(connection)
  fetcher.seek('a', 0, 0)
  fetcher.ahead()
  isKnown = true
  assert.deepEqual((await fetcher.poll()).map(texts), [['0 k=v']])
})
