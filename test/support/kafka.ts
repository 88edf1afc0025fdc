import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '../../src/kafka/connection.ts'
import { ensureTopics } from '../../src/kafka/topics.ts'
import type { KafkaConnection } from '../../src/kafka/wire.ts'
import { silentLog } from '../../src/log.ts'
import type { Cleanup } from './cleanup.ts'

/** A corner of the shared broker that belongs to one test. */
export interface TestKafka {
  kafka: KafkaConnection
  /** Begins the names of this test's topics and groups, for code that makes up the rest itself: `t-1a2b3c4d.`. */
  topicPrefix: string
  /** Creates a topic with this test's prefix and returns its whole name. */
  topic: (name: string, partitions?: number, config?: Record<string, string>) => Promise<string>
  /** The name of a group of this test. */
  group: (name: string) => string
  /** A connection that is closed after the test. */
  connection: () => Connection
}

/**
 * The broker that `npm run test:run contract` (or `integration`) starts, with names that no other test has. Members,
 * producers and readers that the test opens it closes itself, by `t.after`.
 */
export function testKafka(t: Cleanup): TestKafka {
  const brokers = process.env['CHATFEED_TEST_BROKERS']
  if (!brokers)
    throw new Error('CHATFEED_TEST_BROKERS is not set: run this file with `npm run test:run -- FILE`.')
  return kafkaAt(t, brokers.split(','))
}

/** The same on a broker of the test's own. */
export function kafkaAt(t: Cleanup, brokers: readonly string[]): TestKafka {
  const kafka: KafkaConnection = { brokers, clientId: `chatfeed-test@${hostname()}:${process.pid}` }
  const topicPrefix = `t-${randomBytes(4).toString('hex')}.`
  return {
    kafka,
    topicPrefix,
    group: (name) => topicPrefix + name,
    connection() {
      const connection = new Connection(kafka, silentLog)
      t.after(() => connection.close())
      return connection
    },
    async topic(name, partitions = 1, config = {}) {
      const topic = topicPrefix + name
      await ensureTopics(kafka, silentLog, [{ name: topic, partitions, replicationFactor: null, config }])
      return topic
    },
  }
}

/** Waits for a condition. Throws after `limitMs`, with `what` in the message. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  for (const deadline = Date.now() + limitMs; !(await condition()); await delay(20))
    if (Date.now() > deadline) throw new Error(`Not within ${limitMs / 1_000} s: ${what}.`)
}
