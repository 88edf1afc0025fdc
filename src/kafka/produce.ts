import { ChatfeedError } from '../errors.ts'
import type { Connection, RetryOptions } from './connection.ts'
import { kafkaError } from './kafka-error.ts'
import { batchHead, type BatchOwner, type SealedBatch } from './record-batch.ts'
import { RequestBody } from './request.ts'
import { apiKeys, type ProtocolCall, protocolError } from './wire.ts'

/** The id under which the broker tells this writer from others. */
export interface ProducerIdentity {
  producerId: bigint
  producerEpoch: number
  /** Null for an idempotent producer without transactions. */
  transactionalId: string | null
}

const duplicateSequence = 46

/**
 * Writes batches of one partition in order, each acknowledged by all in-sync replicas before the next. A send
 * whose answer was lost is repeated under the same sequence numbers, and the broker drops the repeat. After a
 * failure the sequence is unknown: throw the writer and its producer away.
 */
export class PartitionWriter {
  readonly topic: string
  readonly partition: number
  readonly #connection: Connection
  readonly #identity: ProducerIdentity
  #sequence = 0

  constructor(connection: Connection, identity: ProducerIdentity, topic: string, partition: number) {
    this.#connection = connection
    this.#identity = identity
    this.topic = topic
    this.partition = partition
  }

  async write(batch: SealedBatch, retry: RetryOptions): Promise<void> {
    const { topic, partition } = this
    const bytes = [batchHead(batch, this.#owner()), batch.body]
    await this.#connection.retry(
      `writing to ${topic}-${partition}`,
      () =>
        this.#connection.send(
          this.#connection.leader(topic, partition),
          produceCall(this.#identity.transactionalId, topic, partition, bytes),
        ),
      retry,
    )
    this.#sequence = (this.#sequence + batch.records) % 0x8000_0000
  }

  #owner(): BatchOwner {
    const { producerId, producerEpoch, transactionalId } = this.#identity
    return {
      producerId,
      producerEpoch,
      baseSequence: this.#sequence,
      transactional: transactionalId !== null,
    }
  }
}

/** Produce, version 7, for one partition: what fails is then never half done (tulios/kafkajs#1303). */
function produceCall(
  transactionalId: string | null,
  topic: string,
  partition: number,
  batch: readonly Buffer[],
): ProtocolCall<object> {
  return {
    request: {
      apiKey: apiKeys.produce,
      apiVersion: 7,
      apiName: 'Produce',
      encode: () =>
        Promise.resolve(new RequestBody(produceHead(transactionalId, topic, partition, batch), ...batch)),
    },
    response: {
      decode: (raw) => {
        decodeProduce(raw, topic, partition)
        return Promise.resolve({})
      },
      parse: (data) => Promise.resolve(data),
    },
  }
}

function produceHead(
  transactionalId: string | null,
  topic: string,
  partition: number,
  batch: readonly Buffer[],
): Buffer {
  const id = transactionalId === null ? null : Buffer.from(transactionalId)
  const name = Buffer.from(topic)
  const bytes = Buffer.allocUnsafe(2 + (id?.length ?? 0) + 2 + 4 + 4 + 2 + name.length + 4 + 4 + 4)
  let at = bytes.writeInt16BE(id ? id.length : -1, 0)
  if (id) at += id.copy(bytes, at)
  at = bytes.writeInt16BE(-1, at) // acks: all in-sync replicas
  at = bytes.writeInt32BE(30_000, at)
  at = bytes.writeInt32BE(1, at)
  at = bytes.writeInt16BE(name.length, at)
  at += name.copy(bytes, at)
  at = bytes.writeInt32BE(1, at)
  at = bytes.writeInt32BE(partition, at)
  bytes.writeInt32BE(
    batch.reduce((sum, part) => sum + part.length, 0),
    at,
  )
  return bytes
}

function decodeProduce(raw: Buffer, topic: string, partition: number): void {
  const nameLength = raw.readInt16BE(4)
  const at = 6 + nameLength + 4
  const acknowledged = raw.toString('utf8', 6, 6 + nameLength)
  if (acknowledged !== topic || raw.readInt32BE(at) !== partition) {
    throw new ChatfeedError(
      'fatal',
      'kafka_unacknowledged',
      `The broker acknowledged ${acknowledged} instead of ${topic}-${partition}.`,
    )
  }
  const errorCode = raw.readInt16BE(at + 4)
  // A repeat of a batch that the broker has: it was written by the attempt whose answer was lost.
  if (errorCode !== 0 && errorCode !== duplicateSequence)
    throw kafkaError(protocolError(errorCode), `writing to ${topic}-${partition}`)
}
