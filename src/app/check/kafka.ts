import { checkEmbeddedBroker, runningBroker } from '../../broker/check.ts'
import type { Config } from '../../config/config.ts'
import { ChatfeedError } from '../../errors.ts'
import { fault, fine, type Finding, warning } from '../../finding.ts'
import { type ClusterDescription, describeCluster, type TopicDescription } from '../../kafka/describe.ts'
import type { TopicSpec } from '../../kafka/topics.ts'
import type { Logger } from '../../log.ts'
import { providers } from '../../providers/index.ts'
import { sinkTopic } from '../../sinks/index.ts'
import { sinkTopicSpec } from '../../sinks/sink-topic.ts'
import { topicNames, topicSpecs } from '../../topics.ts'
import { kafkaConnection } from '../runtime.ts'

const patienceMs = 10_000
const dayMs = 86_400_000
/** Kafka's own default; a group whose offsets are forgotten begins again. */
const offsetsKeptMs = 7 * dayMs

/** The cluster and its topics against what chatfeed promises (README, Guarantees). Changes and starts nothing. */
export async function checkKafka(config: Config, log: Logger, signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = []
  const brokers = config.kafka.brokers ?? runningBroker(config.dataDir)
  if (config.kafka.brokers === undefined) findings.push(...(await checkEmbeddedBroker()))
  if (brokers === null)
    return [...findings, fine('cluster', 'The embedded broker does not run now; up starts it.')]
  const { partitions, replicationFactor = null, topicPrefix } = config.kafka
  const own = topicSpecs(
    topicNames(topicPrefix),
    providers.map(({ name }) => name),
    { partitions, replicationFactor, windowMs: config.dedup.window },
  )
  const written = config.sinks.flatMap((sink) => sinkTopic(sink) ?? [])
  const specs = [...own, ...written.map((name) => sinkTopicSpec(name, partitions, replicationFactor))]
  try {
    const names = specs.map(({ name }) => name)
    const kafka = kafkaConnection(config, [brokers].flat())
    const cluster = await describeCluster(kafka, log, names, { deadlineMs: patienceMs, signal })
    return [...findings, ...judgeCluster(cluster), ...judgeTopics(cluster, specs)]
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    const mend = error.mend ?? 'Check kafka.brokers, tls and sasl, and that the cluster runs.'
    return [...findings, fault('cluster', error.message, mend)]
  }
}

/** What is to be said of the cluster itself. */
export function judgeCluster({ clusterId, brokers, brokerConfig }: ClusterDescription): Finding[] {
  const findings = [fine('cluster', `Cluster ${clusterId} answers, ${count(brokers, 'broker')}.`)]
  const offsetsMs = Number(brokerConfig.get('offsets.retention.minutes') ?? Infinity) * 60_000
  if (offsetsMs < offsetsKeptMs) {
    const text = `The cluster forgets a group's place after ${days(offsetsMs)} without a commit; a stage that rested longer begins again.`
    findings.push(warning('offsets', text, 'Set offsets.retention.minutes of the brokers to 10080 or more.'))
  }
  return findings
}

/** What is to be said of the topics that exist, and which do not. */
export function judgeTopics({ topics, brokers }: ClusterDescription, specs: readonly TopicSpec[]): Finding[] {
  const missing = specs.filter(({ name }) => !topics.has(name))
  const findings = specs.flatMap((spec) => {
    const topic = topics.get(spec.name)
    return topic === undefined ? [] : judgeTopic(spec, topic, brokers)
  })
  const there = specs.length - missing.length
  if (there > 0 && findings.length === 0)
    findings.push(fine('topics', `${count(there, 'topic')} as they should be.`))
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ')
    findings.push(fine('topics', `Not there yet, up creates them: ${names}.`))
  }
  return findings
}

function judgeTopic(
  { name, partitions, orMore, config }: TopicSpec,
  topic: TopicDescription,
  brokers: number,
): Finding[] {
  const findings: Finding[] = []
  const about = `topic ${name}`
  const wanted = (key: string): string => config[key] ?? ''
  const found = (key: string): string => topic.config.get(key) ?? wanted(key)
  if (orMore && topic.partitions < partitions) {
    const text = `It has ${count(topic.partitions, 'partition')}, fewer than kafka.partitions.`
    findings.push(fault(about, text, 'Give it more partitions, or let the sink write another topic.'))
  } else if (!orMore && topic.partitions !== partitions) {
    const text = `It has ${count(topic.partitions, 'partition')}, and kafka.partitions is ${partitions}.`
    findings.push(fault(about, text, 'Set kafka.partitions to the number that the topics have.'))
  }
  if (config['cleanup.policy'] !== undefined && found('cleanup.policy') !== wanted('cleanup.policy')) {
    const text = `Its cleanup.policy is ${found('cleanup.policy')}: records that are needed can vanish, or stay for ever.`
    findings.push(fault(about, text, `Set cleanup.policy=${wanted('cleanup.policy')}.`))
  }
  const keptMs = Number(found('retention.ms'))
  const windowMs = Number(wanted('retention.ms'))
  if (windowMs > 0 && keptMs >= 0 && keptMs < windowMs) {
    const text = `It keeps records for ${days(keptMs)}, and dedup.window is ${days(windowMs)}: an older repeat is not recognised.`
    findings.push(warning(about, text, `Set retention.ms=${windowMs}, or a shorter dedup.window.`))
  }
  if (Number(found('max.message.bytes')) < Number(wanted('max.message.bytes'))) {
    const text = `It takes records up to ${found('max.message.bytes')} bytes; a larger message stops its hour.`
    findings.push(warning(about, text, `Set max.message.bytes=${wanted('max.message.bytes')}.`))
  }
  if (brokers >= 3 && topic.replicationFactor < 3) {
    const text = `It has ${count(topic.replicationFactor, 'replica')} on ${brokers} brokers: the loss of a disk can lose messages.`
    findings.push(warning(about, text, 'Give it three replicas and min.insync.replicas=2.'))
  }
  if (topic.replicationFactor >= 3 && Number(found('min.insync.replicas') || 2) < 2) {
    const text = 'One replica alone may acknowledge: a broker that dies then takes records with it.'
    findings.push(warning(about, text, 'Set min.insync.replicas=2.'))
  }
  if (found('unclean.leader.election.enable') === 'true') {
    const text = 'A replica that lags behind may become leader: acknowledged records are lost then.'
    findings.push(warning(about, text, 'Set unclean.leader.election.enable=false.'))
  }
  if (topic.underReplicated > 0) {
    const text = `${count(topic.underReplicated, 'partition')} with a replica out of step.`
    findings.push(warning(about, text, 'Look after the brokers of the cluster.'))
  }
  return findings
}

const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`

const days = (ms: number): string => {
  const number = Math.round((ms / dayMs) * 10) / 10
  return `${number} day${number === 1 ? '' : 's'}`
}
