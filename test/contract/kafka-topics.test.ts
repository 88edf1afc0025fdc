import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { ensureTopics, type TopicSpec } from '../../src/kafka/topics.ts'
import { silentLog } from '../../src/log.ts'
import { testKafka } from '../support/kafka.ts'

const specs = (prefix: string, partitions: number, names = ['a', 'b', 'c']): TopicSpec[] =>
  names.map((name) => ({
    name: prefix + name,
    partitions,
    replicationFactor: null,
    config: { 'retention.ms': '1234567' },
  }))

test('topics are created with their partitions and settings, and a second call changes nothing', async (t) => {
  const own = testKafka(t)
  const { kafka, topicPrefix } = own
  await ensureTopics(kafka, silentLog, specs(topicPrefix, 3))
  await ensureTopics(kafka, silentLog, specs(topicPrefix, 3, ['a', 'b', 'c', 'd']))
  const cluster = own.connection()
  const names = specs(topicPrefix, 3, ['a', 'b', 'c', 'd']).map(({ name }) => name)
  await cluster.know(names)
  assert.deepEqual(
    names.map((name) => cluster.partitions(name)),
    [3, 3, 3, 3],
  )
  const admin = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: 0 }).admin()
  t.after(() => admin.disconnect())
  await admin.connect()
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: names[0]!, configNames: ['retention.ms'] }],
  })
  assert.equal(resources[0]?.configEntries[0]?.configValue, '1234567')
})

test('several processes may create the same topics at once', async (t) => {
  const own = testKafka(t)
  const { kafka, topicPrefix } = own
  const lists = [['a', 'b'], ['b', 'c'], ['c', 'a'], ['a', 'b', 'c']] // prettier-ignore
  await Promise.all(lists.map((names) => ensureTopics(kafka, silentLog, specs(topicPrefix, 2, names))))
  const cluster = own.connection()
  await cluster.know(['a', 'b', 'c'].map((name) => topicPrefix + name))
  for (const name of ['a', 'b', 'c']) assert.equal(cluster.partitions(topicPrefix + name), 2)
})

test('a topic with another number of partitions is refused, with the way out', async (t) => {
  const { kafka, topicPrefix } = testKafka(t)
  await ensureTopics(kafka, silentLog, specs(topicPrefix, 3, ['a']))
  await assert.rejects(ensureTopics(kafka, silentLog, specs(topicPrefix, 4)), {
    remedy: 'fatal',
    code: 'partition_count',
    message: new RegExp(`${topicPrefix}a has 3 and should have 4`),
    mend: /kafka\.partitions/,
  })
})
