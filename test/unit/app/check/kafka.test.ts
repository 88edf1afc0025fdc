import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeCluster, judgeTopics } from '../../../../src/app/check/kafka.ts'
import type { ClusterDescription, TopicDescription } from '../../../../src/kafka/describe.ts'
import { topicNames, topicSpecs } from '../../../../src/topics.ts'

const dayMs = 86_400_000
const specs = topicSpecs(topicNames('chatfeed.'), ['polyv'], {
  partitions: 6,
  replicationFactor: 3,
  windowMs: 30 * dayMs,
})

/** The topics as chatfeed makes them, but for what is told of `unique`. */
function cluster(unique: Partial<TopicDescription> = {}, setting: Record<string, string> = {}, brokers = 3) {
  const topics = specs.map(({ name, partitions, config }): [string, TopicDescription] => {
    const isUnique = name === 'chatfeed.unique'
    const made = { ...config, 'min.insync.replicas': '2', ...(isUnique ? setting : {}) }
    const topic = {
      partitions,
      replicationFactor: 3,
      underReplicated: 0,
      config: new Map(Object.entries(made)),
    }
    return [name, { ...topic, ...(isUnique ? unique : {}) }]
  })
  const description: ClusterDescription = {
    clusterId: 'c1',
    brokers,
    brokerConfig: new Map(),
    topics: new Map(topics),
  }
  return description
}

const judged = (description: ClusterDescription) =>
  judgeTopics(description, specs).map(({ level, about, text, mend }) => [level, about, mend ?? text])

test('topics as chatfeed makes them are fine', () => {
  assert.deepEqual(judged(cluster()), [['ok', 'topics', '7 topics as they should be.']])
})

test('topics that are not there are named, and no fault', () => {
  const there = cluster()
  const topics = new Map([...there.topics].filter(([name]) => name !== 'chatfeed.dead'))
  assert.deepEqual(judged({ ...there, topics }), [
    ['ok', 'topics', '6 topics as they should be.'],
    ['ok', 'topics', 'Not there yet, up creates them: chatfeed.dead.'],
  ])
})

const about = 'topic chatfeed.unique'
const cases: [what: string, description: ClusterDescription, level: string, mend: RegExp][] = [
  ['another number of partitions', cluster({ partitions: 4 }), 'fault', /kafka\.partitions/],
  ['another cleanup policy', cluster({}, { 'cleanup.policy': 'compact' }), 'fault', /cleanup\.policy=delete/],
  [
    'a retention below the window',
    cluster({}, { 'retention.ms': String(7 * dayMs) }),
    'warning',
    /retention\.ms=/,
  ],
  [
    'small records only',
    cluster({}, { 'max.message.bytes': '1048588' }),
    'warning',
    /max\.message\.bytes=8388608/,
  ],
  ['a single replica', cluster({ replicationFactor: 1 }), 'warning', /three replicas/],
  [
    'one replica that acknowledges alone',
    cluster({}, { 'min.insync.replicas': '1' }),
    'warning',
    /replicas=2/,
  ],
  ['unclean elections', cluster({}, { 'unclean.leader.election.enable': 'true' }), 'warning', /enable=false/],
  ['a replica out of step', cluster({ underReplicated: 2 }), 'warning', /brokers/],
]
for (const [what, description, level, mend] of cases) {
  test(`a topic with ${what} is a ${level}, with the mend`, () => {
    const findings = judgeTopics(description, specs)
    assert.deepEqual(
      findings.map((finding) => [finding.level, finding.about]),
      [[level, about]],
    )
    assert.match(findings[0]?.mend ?? '', mend)
  })
}

test('a topic kept for good is as good as a long retention, and one broker needs no replicas', () => {
  assert.equal(judged(cluster({}, { 'retention.ms': '-1' }))[0]?.[0], 'ok')
  assert.equal(judged(cluster({ replicationFactor: 1 }, {}, 1))[0]?.[0], 'ok')
})

test('a cluster that soon forgets the place of a group is a warning; one whose settings are secret is not', () => {
  const brokerConfig = new Map([['offsets.retention.minutes', '1440']])
  assert.deepEqual(
    judgeCluster({ ...cluster(), brokerConfig }).map(({ level }) => level),
    ['ok', 'warning'],
  )
  assert.deepEqual(
    judgeCluster(cluster()).map(({ level, text }) => [level, text]),
    [['ok', 'Cluster c1 answers, 3 brokers.']],
  )
})
