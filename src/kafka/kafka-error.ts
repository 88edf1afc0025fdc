import { ChatfeedError } from '../errors.ts'
import type { KafkajsError } from './wire.ts'

/** Protocol errors after which the same call may succeed once metadata or the coordinator has moved. */
const passing = new Set([
  // The broker tripped: seen when a transaction ends in the moment in which another writer takes its id over.
  'UNKNOWN',
  'CORRUPT_MESSAGE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'REQUEST_TIMED_OUT',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
  'CONCURRENT_TRANSACTIONS',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'LISTENER_NOT_FOUND',
  'OFFSET_NOT_AVAILABLE',
])

const lostConnection = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSLockTimeout',
])

/** The producer can write no more: another one took over, or the broker no longer knows its sequence. */
const fencing = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
])

const authentication = new Set(['KafkaJSSASLAuthenticationError'])

/** kafkajs wraps the error that ended its own retries: the inner one says what happened. */
export function innermost(error: unknown): KafkajsError {
  let inner = (error instanceof ChatfeedError ? (error.cause ?? error) : error) as KafkajsError
  while (inner.name === 'KafkaJSNumberOfRetriesExceeded' && inner.cause instanceof Error) inner = inner.cause
  return inner
}

/** Any error of a Kafka call as a ChatfeedError: `transient` (code `kafka_…` or `fenced`) or `fatal`. */
export function kafkaError(error: unknown, doing: string): ChatfeedError {
  if (error instanceof ChatfeedError) return error
  const inner = innermost(error)
  const type = inner.type ?? inner.name
  if (fencing.has(type)) {
    return new ChatfeedError('transient', 'fenced', `Another process took over while ${doing}.`, {
      cause: error,
    })
  }
  if (passing.has(type))
    return new ChatfeedError(
      'transient',
      `kafka_${type.toLowerCase()}`,
      `Kafka is not ready for ${doing}: ${type}.`,
      { cause: error },
    )
  if (isCertificate(inner)) {
    return new ChatfeedError(
      'fatal',
      'kafka_certificate',
      `The certificate of Kafka is not to be trusted (${inner.message}).`,
      { cause: error, mend: 'Give kafka.tls.ca the certificate of its authority, as PEM text.' },
    )
  }
  if (isOwnCertificate(inner)) {
    return new ChatfeedError(
      'fatal',
      'kafka_own_certificate',
      `Kafka does not take the certificate of this client (${inner.code}).`,
      { cause: error, mend: 'Give kafka.tls.cert and kafka.tls.key a certificate that the brokers trust.' },
    )
  }
  if (lostConnection.has(inner.name) || isNetworkError(inner) || isHalfOpen(inner)) {
    return new ChatfeedError(
      'transient',
      'kafka_unreachable',
      `Kafka cannot be reached for ${doing}: ${inner.message}.`,
      {
        cause: error,
        mend: 'Check kafka.brokers, the network and that the brokers run.',
      },
    )
  }
  if (authentication.has(inner.name)) {
    return new ChatfeedError(
      'fatal',
      'kafka_authentication',
      `Kafka refused the credentials: ${inner.message}.`,
      {
        cause: error,
        mend: 'Check kafka.sasl and kafka.tls.',
      },
    )
  }
  return new ChatfeedError(
    'fatal',
    `kafka_${type.toLowerCase()}`,
    `Kafka refused ${doing}: ${inner.message}.`,
    {
      cause: error,
      mend: type.endsWith('AUTHORIZATION_FAILED')
        ? 'Let the account use all topics, groups and transactional ids that begin with kafka.topicPrefix.'
        : 'The log of the brokers says more.',
    },
  )
}

/** Node's names for what is wrong with the certificate of the other side. */
function isCertificate({ code }: KafkajsError): boolean {
  return typeof code === 'string' && /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_)/.test(code)
}

/** The other side says that it misses a certificate of ours, or does not trust it. */
function isOwnCertificate({ code }: KafkajsError): boolean {
  return typeof code === 'string' && /^ERR_SSL_\w*ALERT_\w*(?:CERTIFICATE|UNKNOWN_CA)/.test(code)
}

/** Node's errors of sockets and names; those of wrong arguments and of broken bytes have words of another form. */
function isNetworkError(error: KafkajsError): boolean {
  const { code } = error
  return typeof code === 'string' && ('syscall' in error || /^E(?!RR_)/.test(code))
}

/** A call met a connection that another call was still opening; kafkajs has no name for that error. */
function isHalfOpen({ message }: KafkajsError): boolean {
  return message === 'Broker not connected'
}
