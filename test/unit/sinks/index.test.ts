import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selectionOf, sinkConfig } from '../../../src/sinks/index.ts'
import { message } from '../samples.ts'

const faultsOf = (entry: unknown) =>
  sinkConfig.safeParse(entry).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)

test('a SQLite entry needs a name and a type only', () => {
  assert.deepEqual(sinkConfig.parse({ name: 'search', type: 'sqlite' }), {
    name: 'search',
    type: 'sqlite',
    path: '.chatfeed/messages.db',
  })
})

test('an unknown or missing sink type names those there are', () => {
  assert.deepEqual(faultsOf({ name: 'x', type: 'sqlight' }), [
    'type: There is no sink type sqlight; this version has: opensearch, sqlite.',
  ])
  assert.deepEqual(faultsOf({ name: 'x' }), ['type: Give the sink a type: opensearch, sqlite.'])
})

test('a filter takes one word or several, of those that are known; any key of unknown name is refused', () => {
  const whereOf = (where: unknown) => sinkConfig.safeParse({ name: 'x', type: 'sqlite', where })
  assert.deepEqual(whereOf({ kind: 'text', conversation: ['room', '2477096'] }).data?.where, {
    kind: ['text'],
    conversation: ['room', '2477096'],
  })
  for (const wrong of [{ kind: 'txt' }, { kind: [] }, { sender: 'x' }, { source: 5 }, 'text'])
    assert.equal(whereOf(wrong).success, false, JSON.stringify(wrong))
  assert.match(String(faultsOf({ name: 'x', type: 'sqlite', paht: 'a.db' })), /paht/)
})

test('a sink that takes everything makes no selection', () => {
  assert.equal(selectionOf(sinkConfig.parse({ name: 'x', type: 'sqlite' })), null)
  assert.equal(selectionOf(sinkConfig.parse({ name: 'x', type: 'sqlite', where: {} })), null)
  const images = selectionOf(sinkConfig.parse({ name: 'x', type: 'sqlite', where: { kind: 'image' } }))
  assert.deepEqual([images?.takes({ ...message, kind: 'text' }), images?.takes(message)], [false, true])
})
