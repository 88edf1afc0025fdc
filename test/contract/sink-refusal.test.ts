import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeadTopic } from '../../src/dead/dead-topic.ts'
import { listLetters } from '../../src/dead/list.ts'
import { replayOf } from '../../src/dead/replay.ts'
import { ChatfeedError } from '../../src/errors.ts'
import { silentLog } from '../../src/log.ts'
import { providersByName } from '../../src/providers/index.ts'
import { refusal } from '../../src/sinks/refusal.ts'
import { topicNames } from '../../src/topics.ts'
import { codecs, messageCodec } from '../support/codecs.ts'
import { testKafka } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { messageSet } from '../support/message-set.ts'
import { message } from '../unit/samples.ts'

const tooLong = new ChatfeedError('message', 'id_too_long', 'The id has more than 512 bytes.')

test('what a store refuses lies in dead as it was, with its place and its source', async (t) => {
  const { kafka, topic } = testKafka(t)
  const dead = await topic('dead', 3)
  const refuse = refusal({ kafka, log: silentLog, codec: messageCodec, sink: 'picky', deadTopic: dead })
  const older = { ...message, revision: 1 }
  const newer = { ...message, revision: 2, text: 'edited' }
  await refuse(messageSet(2, [older, newer], 12), newer, tooLong)
  const [letter, ...others] = await readCommitted(kafka.brokers, dead)
  assert.deepEqual(others, [])
  assert.equal(letter?.partition, 2)
  assert.equal(letter.key, message.id)
  assert.equal(JSON.stringify(messageCodec.decode(letter.value)), JSON.stringify(newer))
  assert.deepEqual(letter.headers, {
    'chatfeed.error.code': 'id_too_long',
    'chatfeed.error.stage': 'sink:picky',
    'chatfeed.error.reason': tooLong.message,
    'chatfeed.error.topic': 'messages',
    'chatfeed.error.partition': '2',
    'chatfeed.error.offset': '11',
    'chatfeed.origin': message.origin,
    'chatfeed.source': message.source,
  })
})

test('such a letter is listed with its source, and is put back by a rebuild of the sink only', async (t) => {
  const { kafka, topic, connection } = testKafka(t)
  const dead = await topic('dead')
  const refuse = refusal({ kafka, log: silentLog, codec: messageCodec, sink: 'picky', deadTopic: dead })
  await refuse(messageSet(0, [message], 1), message, tooLong)
  const letters = await DeadTopic.open(connection(), codecs, dead)
  const { total, letters: listed } = await listLetters(letters, 'open', { source: message.source }, 10)
  assert.deepEqual([total, listed[0]?.stage, listed[0]?.source], [1, 'sink:picky', message.source])
  for await (const found of letters.find('open', () => true)) {
    for await (const letter of letters.read(found)) {
      const replay = replayOf(letter, { codecs, topics: topicNames(''), providers: providersByName })
      assert.match('refusal' in replay ? replay.refusal : '', /sink rebuild picky/)
    }
  }
})

test('a message that the sink was not given cannot be refused', async (t) => {
  const { kafka, topic } = testKafka(t)
  const refuse = refusal({
    kafka,
    log: silentLog,
    codec: messageCodec,
    sink: 'picky',
    deadTopic: await topic('dead'),
  })
  await assert.rejects(refuse(messageSet(0, [message], 1), { id: message.id, revision: 9 }, tooLong), {
    code: 'refused_unknown',
  })
})
