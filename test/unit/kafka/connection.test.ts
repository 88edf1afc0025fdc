import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import kafkajs from 'kafkajs'
import { ChatfeedError } from '../../../src/errors.ts'
import { Connection } from '../../../src/kafka/connection.ts'
import { kafkaError } from '../../../src/kafka/kafka-error.ts'
import { type Broker, protocolError } from '../../../src/kafka/wire.ts'
import { silentLog } from '../../../src/log.ts'

const KafkajsConnection = createRequire(import.meta.url)('kafkajs/src/network/connection') as new (
  options: object,
) => { connect(): Promise<unknown>; disconnect(): Promise<unknown> }

/** A connection whose cluster is always there, and how often it was asked. */
function connectionTo(signal?: AbortSignal) {
  const connection = new Connection({ brokers: ['127.0.0.1:1'], clientId: 'test' }, silentLog, signal)
  const count = { connect: 0, refresh: 0, drop: 0 }
  const { cluster } = connection
  cluster.connect = () => Promise.resolve(void count.connect++)
  cluster.refreshMetadata = () => Promise.resolve(void count.refresh++)
  connection.drop = () => Promise.resolve(void count.drop++)
  return { connection, count }
}

/** A call that fails with each of these in turn and then succeeds. */
function failing(...errors: Error[]) {
  const call = () => {
    calls++
    const error = errors.shift()
    return error ? Promise.reject(error) : Promise.resolve('done')
  }
  let calls = 0
  return { call, calls: () => calls }
}

const codes = {
  serverError: -1,
  notLeader: 6,
  coordinatorLoading: 14,
  invalidEpoch: 47,
  concurrentTransactions: 51,
  denied: 29,
}

test('a call is made again, with fresh metadata, while the error may pass', async () => {
  const { connection, count } = connectionTo()
  const { call, calls } = failing(
    protocolError(codes.notLeader),
    protocolError(codes.coordinatorLoading),
    protocolError(codes.serverError),
    new kafkajs.KafkaJSConnectionError('Connection error: read ECONNRESET'),
  )
  assert.equal(await connection.retry('trying', call), 'done')
  assert.equal(calls(), 5)
  assert.deepEqual(count, { connect: 1, refresh: 4, drop: 0 })
})

test('after a transaction before this one is still ending, the metadata are not asked for', async () => {
  const { connection, count } = connectionTo()
  const { call } = failing(protocolError(codes.concurrentTransactions))
  await connection.retry('trying', call)
  assert.equal(count.refresh, 0)
})

test('what cannot pass is thrown at once', async () => {
  for (const [error, expected] of [
    [protocolError(codes.denied), { remedy: 'fatal', code: 'kafka_topic_authorization_failed' }],
    [protocolError(codes.invalidEpoch), { remedy: 'transient', code: 'fenced' }],
    [new ChatfeedError('fatal', 'own', 'No.'), { remedy: 'fatal', code: 'own' }],
    [new TypeError('x is not a function'), { remedy: 'fatal', code: 'kafka_typeerror' }],
  ] as const) {
    const { connection } = connectionTo()
    const { call, calls } = failing(error)
    await assert.rejects(connection.retry('trying', call), expected)
    assert.equal(calls(), 1)
  }
})

test('a wrong argument is a bug and not a lost connection', () => {
  const bug = Object.assign(new RangeError('out of bounds'), { code: 'ERR_OUT_OF_RANGE' })
  assert.equal(kafkaError(bug, 'trying').remedy, 'fatal')
  const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  assert.equal(kafkaError(lost, 'trying').code, 'kafka_unreachable')
})

test('the last error is thrown at the deadline, or when the signal aborts', async () => {
  const { connection } = connectionTo()
  const late = failing(...Array.from({ length: 99 }, () => protocolError(codes.notLeader)))
  await assert.rejects(connection.retry('trying', late.call, { deadlineMs: 30 }), {
    remedy: 'transient',
    code: 'kafka_not_leader_for_partition',
  })
  const stop = new AbortController()
  const own = connectionTo(stop.signal).connection
  const begun = Date.now()
  const trying = own.retry('trying', () => {
    stop.abort()
    return Promise.reject(protocolError(codes.notLeader))
  })
  await assert.rejects(trying, { remedy: 'transient' })
  assert.ok(Date.now() - begun < 1_000)
})

test('a connection that gave no answer in time is given up', async () => {
  const { connection, count } = connectionTo()
  const { call } = failing(
    Object.assign(new Error('Request timed out'), { name: 'KafkaJSRequestTimeoutError' }),
  )
  assert.equal(await connection.retry('trying', call), 'done')
  assert.equal(count.drop, 1)
})

test('a coordinator is asked for once, and again after a refresh', async () => {
  const { connection } = connectionTo()
  let asked = 0
  const broker = {
    nodeId: 4,
    findGroupCoordinator: () => Promise.resolve({ coordinator: { nodeId: (asked++, 4) } }),
  } as unknown as Broker
  connection.cluster.brokerPool.findConnectedBroker = () => Promise.resolve(broker)
  connection.cluster.findBroker = () => Promise.resolve(broker)
  await connection.groupCoordinator('g')
  assert.equal(await connection.groupCoordinator('g'), broker)
  assert.equal(asked, 1)
  await connection.transactionCoordinator('g')
  assert.equal(asked, 2)
  await connection.refresh()
  await connection.groupCoordinator('g')
  assert.equal(asked, 3)
})

test('close ends a call that waits for an answer, and nothing opens a socket again', async (t) => {
  const server = await listening(t)
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  const { port } = server.address() as AddressInfo
  const connection = new Connection({ brokers: [`127.0.0.1:${port}`], clientId: 'test' }, silentLog)
  const waiting = assert.rejects(connection.know(['t']), { code: 'kafka_unreachable' })
  await once(server, 'connection')
  const begun = Date.now()
  await connection.close()
  await waiting
  assert.ok(Date.now() - begun < 4_000)
  await Promise.all(sockets.filter((socket) => !socket.closed).map((socket) => once(socket, 'close')))
  const before = sockets.length
  await assert.rejects(connection.know(['t']), { code: 'kafka_unreachable' })
  assert.equal(sockets.length, before)
})

test('two calls that find a socket closed open one and not two', async (t) => {
  const server = await listening(t)
  const { port } = server.address() as AddressInfo
  const sockets: Socket[] = []
  const noLog = () => undefined
  const connection = new KafkajsConnection({
    host: '127.0.0.1',
    port,
    logger: { namespace: () => ({ debug: noLog, error: noLog, warn: noLog, info: noLog }) },
    socketFactory({ onConnect }: { onConnect: () => void }) {
      const socket = connect(port, '127.0.0.1', onConnect)
      sockets.push(socket)
      t.after(() => socket.destroy())
      return socket
    },
    connectionTimeout: 1_000,
    requestTimeout: 1_000,
  })
  await Promise.all([connection.connect(), connection.connect()])
  await connection.connect()
  assert.equal(sockets.length, 1)
  await connection.disconnect()
  await connection.connect()
  await connection.disconnect()
  assert.equal(sockets.length, 2)
})

async function listening(t: TestContext): Promise<Server> {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return server
}
