import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sinkConfig } from '../../../src/sinks/index.ts'

const faultsOf = (entry: unknown) =>
  sinkConfig.safeParse(entry).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)

test('a SQLite entry needs a name and a type only', () => {
  assert.deepEqual(sinkConfig.parse({ name: 'search', type: 'sqlite' }), {
    name: 'search',
    type: 'sqlite',
    path: '.chatfeed/messages.db',
  })
})

test('a sink type of later versions is refused by name', () => {
  assert.deepEqual(faultsOf({ name: 'big', type: 'opensearch', url: 'https://search.example' }), [
    'type: Sink type opensearch is not part of this version, which has: sqlite.',
  ])
})

test('an unknown or missing sink type names those there are', () => {
  assert.deepEqual(faultsOf({ name: 'x', type: 'sqlight' }), [
    'type: There is no sink type sqlight; this version has: sqlite.',
  ])
  assert.deepEqual(faultsOf({ name: 'x' }), ['type: Give the sink a type: sqlite.'])
})

test('a where filter is refused, and so is any key of unknown name', () => {
  assert.deepEqual(faultsOf({ name: 'x', type: 'sqlite', where: { kind: 'text' } }), [
    'where: A `where` filter is not part of this version: leave it out.',
  ])
  assert.match(String(faultsOf({ name: 'x', type: 'sqlite', paht: 'a.db' })), /paht/)
})
