import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastWords, lastWordsIn } from '../../../src/broker/last-words.ts'

test('the last words are the complaints, without their stack traces and repetitions', () => {
  const log = [
    '2026-03-04T05:06:07.000Z INFO kafka.server.KafkaRaftServer - starting',
    '2026-03-04T05:06:08.000Z ERROR kafka.Kafka$ - Exiting Kafka due to fatal exception',
    'java.lang.RuntimeException: no meta.properties',
    '\tat kafka.server.KafkaRaftServer$.initializeLogDirs(KafkaRaftServer.scala:167)',
    '\t... 12 more',
    'java.lang.RuntimeException: no meta.properties',
    '2026-03-04T05:06:09.000Z INFO kafka.server.KafkaRaftServer - going',
    '',
  ].join('\n')
  assert.equal(
    lastWordsIn(log),
    '  2026-03-04T05:06:08.000Z ERROR kafka.Kafka$ - Exiting Kafka due to fatal exception\n' +
      '  java.lang.RuntimeException: no meta.properties',
  )
})

test('a log without complaints gives its last lines, and long lines are cut', () => {
  assert.equal(lastWordsIn('1\n2\n3\n4\n5\n6\n'), '  3\n  4\n  5\n  6')
  assert.equal(lastWordsIn('x'.repeat(1000)).length, 302)
})

test('an empty or absent log is named as such', () => {
  assert.equal(lastWordsIn(''), '  (its log is empty)')
  assert.equal(lastWords('/nowhere/broker.log'), '  (its log is gone)')
})
