import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { freePort } from '../../../src/broker/ports.ts'
import { clusterIdAt, untilServing } from '../../../src/broker/probe.ts'

test('a broker that serves gives its cluster id', async (t) => {
  const port = await serve(t, (socket) => socket.write(metadata(1, 'abcdefghijklmnopqrstuv')))
  assert.equal(await clusterIdAt(port), 'abcdefghijklmnopqrstuv')
  assert.equal(await untilServing(port, 'abcdefghijklmnopqrstuv', () => false), true)
})

test('an answer in pieces is put together', async (t) => {
  const answer = metadata(1, 'abcdefghijklmnopqrstuv')
  const port = await serve(t, (socket) => {
    socket.setNoDelay(true)
    socket.write(answer.subarray(0, 3))
    setTimeout(() => socket.write(answer.subarray(3)), 20)
  })
  assert.equal(await clusterIdAt(port), 'abcdefghijklmnopqrstuv')
})

test('a node that has no broker for clients yet does not serve', async (t) => {
  const port = await serve(t, (socket) => socket.write(metadata(0, 'abcdefghijklmnopqrstuv')))
  assert.equal(await clusterIdAt(port), null)
})

test('the Kafka of another directory is not taken for ours', async (t) => {
  const port = await serve(t, (socket) => socket.write(metadata(1, 'someone-else-s-cluster')))
  let looks = 0
  assert.equal(await untilServing(port, 'abcdefghijklmnopqrstuv', () => ++looks > 2), false)
})

test('what is not Kafka, closes at once or does not listen gives null', async (t) => {
  const garbage = await serve(t, (socket) => socket.write(Buffer.from([0, 0, 0, 14, ...Array(14).keys()])))
  const silent = await serve(t, (socket) => socket.end())
  assert.equal(await clusterIdAt(garbage), null)
  assert.equal(await clusterIdAt(silent), null)
  assert.equal(await clusterIdAt(await freePort()), null)
})

test('a port that is taken is not offered as free', async (t) => {
  const port = await serve(t, () => undefined)
  const other = await freePort(port)
  assert.notEqual(other, port)
  assert.equal(await freePort(other), other)
})

/** Listens on a free port of 127.0.0.1 and answers the first request of every client. */
async function serve(t: TestContext, answer: (socket: Socket) => unknown): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A Metadata response, version 4, as far as the cluster id. */
function metadata(brokers: number, clusterId: string): Buffer {
  const string = (text: string): number[] => [0, text.length, ...Buffer.from(text)]
  const broker = [0, 0, 0, 1, ...string('127.0.0.1'), 0, 0, 35, 132, 255, 255]
  const all = Array.from({ length: brokers }, () => broker).flat()
  const body = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, brokers, ...all, ...string(clusterId)]
  return Buffer.from([0, 0, 0, body.length, ...body])
}
