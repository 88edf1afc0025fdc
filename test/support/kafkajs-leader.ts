import kafkajs from 'kafkajs'

/** The brokers that lead the partitions of a topic, by partition number; -1 where none does now. */
export async function leadersOf(brokers: readonly string[], topic: string): Promise<number[]> {
  return withAdmin(brokers, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics[0]?.partitions ?? []
    return partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader)
  })
}

/** Gives the partitions of a topic to these brokers, of which the first one is to lead. */
export async function moveTopic(
  brokers: readonly string[],
  topic: string,
  partitions: number,
  replicas: number[],
): Promise<void> {
  await withAdmin(brokers, (admin) =>
    admin.alterPartitionReassignments({
      topics: [
        {
          topic,
          partitionAssignment: Array.from({ length: partitions }, (_, partition) => ({
            partition,
            replicas,
          })),
        },
      ],
    }),
  )
}

async function withAdmin<T>(
  brokers: readonly string[],
  use: (admin: kafkajs.Admin) => Promise<T>,
): Promise<T> {
  const { logLevel, Kafka } = kafkajs
  const admin = new Kafka({ brokers: [...brokers], clientId: 'witness', logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}
