import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { useEmbeddedBroker } from '../../src/broker/index.ts'
import { silentLog } from '../../src/log.ts'
import type { Cleanup } from '../support/cleanup.ts'
import { cpuMsOf } from './processes.ts'

/** As many as the peers of every benchmark get. */
export const partitions = 4

/** The benchmark's own broker: the embedded one, as users have it, with data that is gone afterwards. */
export interface BenchBroker {
  address: string
  /** Processor time it has used until now. */
  cpuMs(): number
  /** Creates a topic with a name that no other run has. */
  topic(name: string): Promise<string>
  /** Deletes topics by the beginning of their names. */
  clear(prefix: string): Promise<void>
  /** Deletes a group that has no members. */
  forget(group: string): Promise<void>
}

/** Starts it; it ends with the benchmark. */
export async function startBroker(
  t: Cleanup,
  folder: string,
  onProgress: (text: string) => void,
): Promise<BenchBroker> {
  const broker = await useEmbeddedBroker({ dataDir: join(folder, 'broker'), log: silentLog, onProgress })
  t.after(() => broker.release())
  const { Kafka, logLevel } = kafkajs
  const kafka = new Kafka({ brokers: [broker.address], clientId: 'bench', logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  t.after(() => admin.disconnect())
  return {
    address: broker.address,
    cpuMs: () => cpuMsOf(broker.pid),
    async topic(name) {
      const topic = `${name}-${randomBytes(4).toString('hex')}`
      const configEntries = [{ name: 'compression.type', value: 'producer' }]
      await admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }] })
      return topic
    },
    async clear(prefix) {
      const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix))
      if (topics.length > 0) await admin.deleteTopics({ topics })
    },
    async forget(group) {
      await admin.deleteGroups([group])
    },
  }
}
