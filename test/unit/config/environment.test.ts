import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, parseConfig } from '../../../src/config/config.ts'

const read = (text: string, environment: NodeJS.ProcessEnv = {}) =>
  parseConfig(`sources: []\n${text}`, 'chatfeed.yaml', environment)

function messagesOf(text: string, environment: NodeJS.ProcessEnv = {}): string[] {
  try {
    read(text, environment)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
  return []
}

test('a variable is put in place in block and in flow style, quoted or not, alone or within a text', () => {
  const environment = { DIR: '/data', PORT: '9000' }
  assert.equal(read('dataDir: ${DIR}', environment).dataDir, '/data')
  assert.equal(read('dataDir: "${DIR}/x-${PORT}"', environment).dataDir, '/data/x-9000')
  assert.equal(read("dataDir: '${DIR}'", environment).dataDir, '/data')
  assert.deepEqual(read('http: { host: ${DIR}, port: ${PORT} }', environment).http, {
    host: '/data',
    port: 9000,
  })
  assert.deepEqual(read('kafka: { brokers: [${DIR}:${PORT}] }', { DIR: 'k1', PORT: '1' }).kafka.brokers, [
    'k1:1',
  ])
})

test('a default stands in for a variable that is not set or empty, as in a shell', () => {
  assert.equal(read('dataDir: ${DIR:-.here}').dataDir, '.here')
  assert.equal(read('dataDir: ${DIR:-.here}', { DIR: '' }).dataDir, '.here')
  assert.equal(read('dataDir: ${DIR:-.here}', { DIR: '/there' }).dataDir, '/there')
  assert.deepEqual(read('http: { port: ${PORT:-0}, host: "${HOST:-a:b{,c}" }').http, {
    port: 0,
    host: 'a:b{,c',
  })
  assert.equal(read('kafka: { topicPrefix: "${PREFIX:-}" }').kafka.topicPrefix, '')
})

test('a value cannot change the structure of the file', () => {
  for (const value of ['a: 1', '}', '- x', '*x', '&x', '# no comment', '"', "'", 'a\nb: c', '${OTHER}', '!t'])
    assert.equal(read('dataDir: ${VALUE}', { VALUE: value }).dataDir, value)
})

test('every variable that is not set is a fault at its place, told once', () => {
  assert.deepEqual(messagesOf('dataDir: ${DIR}\nkafka: { brokers: ["k:1", "${BROKER}"] }'), [
    'dataDir: ${DIR} is not set: set it in the environment, or write ${DIR:-default}',
    'kafka.brokers.1: ${BROKER} is not set: set it in the environment, or write ${BROKER:-default}',
  ])
})

test('a variable in a comment is not asked for', () => {
  assert.deepEqual(messagesOf('# dataDir: ${DIR}'), [])
})

test('what only looks like a variable stays as it is', () => {
  assert.equal(read('dataDir: "$DIR $$ ${1} ${a-b}"').dataDir, '$DIR $$ ${1} ${a-b}')
})
