import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { encodeSubscription, assignorName } from '../../src/kafka/assignor.ts'
import { Connection } from '../../src/kafka/connection.ts'
import { joinGroup, type KafkaConnection } from '../../src/kafka/wire.ts'
import { silentLog } from '../../src/log.ts'

/**
 * A member that asks to join a group and is never heard of again, as if its process hung or was killed: the group
 * waits for it in every rebalance until its session has run out.
 */
export async function deadMember(
  t: TestContext,
  kafka: KafkaConnection,
  groupId: string,
  topics: readonly string[],
  sessionTimeoutMs: number,
): Promise<void> {
  const connection = new Connection(kafka, silentLog)
  t.after(() => connection.close())
  const coordinator = await connection.retry('joining', () => connection.groupCoordinator(groupId))
  await new Promise<void>((resolve, reject) => {
    joinGroup(
      coordinator,
      {
        groupId,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: 60_000,
        memberId: '',
        groupProtocols: [{ name: assignorName, metadata: encodeSubscription(topics, []) }],
      },
      () => {
        resolve()
      },
    ).catch(reject)
  })
}

/** Waits until a rebalance has begun that does not end: every living member then waits for a silent one. */
export async function untilRebalancing(kafka: KafkaConnection, groupId: string): Promise<void> {
  const { logLevel, Kafka } = kafkajs
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    for (let seen = 0; seen < 5; await delay(300)) {
      const { groups } = await admin.describeGroups([groupId])
      seen = groups[0]?.state === 'PreparingRebalance' ? seen + 1 : 0
    }
  } finally {
    await admin.disconnect()
  }
}
