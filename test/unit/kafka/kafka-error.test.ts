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

test('a certificate that is not trusted ends at once, whosever it is', () => {
  const refused = (code: string) =>
    kafkaError(Object.assign(new Error('x'), { name: 'KafkaJSConnectionError', code }), 'joining')
  for (const code of ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED'])
    assert.equal(refused(code).code, 'kafka_certificate')
  for (const code of ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'])
    assert.equal(refused(code).code, 'kafka_own_certificate')
  assert.equal(refused('ECONNREFUSED').remedy, 'transient')
})
