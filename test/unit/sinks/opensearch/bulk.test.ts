import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendBulk } from '../../../../src/sinks/opensearch/bulk.ts'
import { SearchClient } from '../../../../src/sinks/opensearch/client.ts'
import { toOperation } from '../../../../src/sinks/opensearch/operation.ts'
import { messageSet } from '../../../support/message-set.ts'
import { arena, failureOf, message } from './arena.ts'

const idsIn = (body: string) => [...body.matchAll(/"_id":"(\w+)"/g)].map(([, id]) => id)

test('only the messages that a shard had no time for are sent again', async (t) => {
  const { double, open, stored } = await arena(t)
  const sink = await open()
  const bodies: string[][] = []
  double.answer = ({ path, body }) => {
    if (!path.endsWith('/_bulk')) return undefined
    bodies.push(idsIn(body) as string[])
    const busy = { status: 429, error: { type: 'rejected_execution_exception', reason: '' } }
    if (bodies.length === 1) return { status: 503, body: '<html>', type: 'text/html' }
    if (bodies.length > 2) return undefined
    return { status: 200, body: { errors: true, items: [{ index: { status: 201 } }, { index: busy }] } }
  }
  await sink.write(messageSet(0, [message('a'), message('b')], 2))
  assert.deepEqual(bodies, [['a', 'b'], ['a', 'b'], ['b']])
  assert.deepEqual(await stored(), ['b 1 -000001'])
  assert.equal(await sink.position(0), 2)
})

test('a cluster that stays busy is left alone after a while', async (t) => {
  const { double, config, open } = await arena(t)
  await open()
  const client = new SearchClient(config)
  t.after(() => client.close())
  double.answer = () => ({ status: 429, body: {} })
  const { remedy, code } = await failureOf(
    sendBulk(client, config.index, [toOperation(message('a'), config)], 100),
  )
  assert.deepEqual([remedy, code], ['transient', 'search_busy'])
})

test('a body too large is sent in halves, and a message too large alone is refused', async (t) => {
  const { double, refused, open, stored } = await arena(t)
  const sink = await open()
  double.answer = ({ path, body }) =>
    path.endsWith('/_bulk') && body.length > 4_000 ? { status: 413, body: '', type: 'text/plain' } : undefined
  const small = Array.from({ length: 9 }, (_, at) => message(`s${at}`))
  await sink.write(messageSet(0, [...small, message('large', 1, { text: 'x'.repeat(5_000) })], 10))
  assert.deepEqual(refused, ['large search_too_large'])
  assert.deepEqual(
    await stored(),
    small.map(({ id }) => `${id} 1 -000001`),
  )
})

test('bodies are bounded, whatever the size of a set', async (t) => {
  const { double, open, stored } = await arena(t)
  const sink = await open()
  const sizes: number[] = []
  double.answer = ({ path, body }) => {
    if (path.endsWith('/_bulk')) sizes.push(Buffer.byteLength(body))
    return undefined
  }
  const large = Array.from({ length: 5 }, (_, at) => message(`l${at}`, 1, { text: '退'.repeat(700_000) }))
  await sink.write(messageSet(0, large, 5))
  assert.equal((await stored()).length, 5)
  assert.ok(sizes.length > 1 && Math.max(...sizes) < 5.1 * 2 ** 20, String(sizes))
})
