import kafkajs from 'kafkajs'

/** Lets the broker of the tests look for topics to compact every 100 ms instead of every 15 s. */
export async function compactOften(brokers: readonly string[]): Promise<void> {
  await alterConfig(brokers, kafkajs.ConfigResourceTypes.BROKER, '1', { 'log.cleaner.backoff.ms': '100' })
}

/** Lets a compacted topic be cleaned as soon as anything can be: what is deleted goes at once, markers too. */
export async function compactEagerly(brokers: readonly string[], topic: string): Promise<void> {
  await alterConfig(brokers, kafkajs.ConfigResourceTypes.TOPIC, topic, eagerly)
}

/** The settings of a topic that is cleaned as soon as anything can be. */
export const eagerly = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0',
  'segment.ms': '100',
  'delete.retention.ms': '0',
}

async function alterConfig(
  brokers: readonly string[],
  type: kafkajs.ConfigResourceTypes,
  name: string,
  config: Record<string, string>,
): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: 0 }).admin()
  await admin.connect()
  try {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] })
  } finally {
    await admin.disconnect()
  }
}
