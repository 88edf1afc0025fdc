import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { kafkaError } from '../../../src/kafka/kafka-error.ts'

const Broker = createRequire(import.meta.url)('kafkajs/src/broker') as new (options: object) => {
  metadata(topics: string[]): Promise<unknown>
}
const logger = { namespace: () => logger }

test('a call on a connection that is still being opened is made again, and does not end the process', async () => {
  const broker = new Broker({ connectionPool: {}, logger })
  const error: unknown = await broker.metadata(['t']).catch((cause: unknown) => cause)
  const { remedy, code } = kafkaError(error, 'metadata')
  assert.deepEqual({ remedy, code }, { remedy: 'transient', code: 'kafka_unreachable' })
})
