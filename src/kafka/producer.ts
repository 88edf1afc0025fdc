import { ChatfeedError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { Connection } from './connection.ts'
import { partitionOf } from './partitioner.ts'
import { PartitionWriter } from './produce.ts'
import { RecordBatchWriter, type RecordHeader, type ValueHead } from './record-batch.ts'
import type { KafkaConnection } from './wire.ts'

/** Bounds of a batch, and the patience of a write. */
export interface ProducerOptions {
  /** Records of one batch; more does not pay (measured up to 10,000). */
  batchRecords?: number
  /** Uncompressed bytes of one batch, below the topic's max.message.bytes; a larger record goes alone. */
  batchBytes?: number
  /** How long a write is tried before it fails. */
  deadlineMs?: number
  /** Once aborted, what fails is not tried again. */
  signal?: AbortSignal | undefined
}

/** After this a topic that no broker knows was not just created: it is not there. */
const topicDeadlineMs = 15_000

interface Lane {
  writer: PartitionWriter
  batch: RecordBatchWriter
  sending: Promise<void> | undefined
}

/**
 * Idempotent producer of one topic: records go to the partition of their key (murmur2, as the Java client)
 * and are sent in batches, one batch of a partition under way at a time. After an error every later call
 * fails with it: open a new producer and repeat what was not yet flushed.
 */
export class Producer {
  readonly #connection: Connection
  readonly #lanes: Lane[]
  readonly #options: Required<Omit<ProducerOptions, 'signal'>>
  #failure: ChatfeedError | undefined

  private constructor(
    connection: Connection,
    lanes: Lane[],
    options: Required<Omit<ProducerOptions, 'signal'>>,
  ) {
    this.#connection = connection
    this.#lanes = lanes
    this.#options = options
  }

  /** Throws ChatfeedError `fatal` when the topic does not exist, `transient` when the cluster cannot be reached. */
  static async open(
    kafka: KafkaConnection,
    log: Logger,
    topic: string,
    options: ProducerOptions = {},
  ): Promise<Producer> {
    const connection = new Connection(kafka, log, options.signal)
    const { deadlineMs = 120_000 } = options
    try {
      await connection.know([topic], { deadlineMs: Math.min(deadlineMs, topicDeadlineMs) }).catch(isMissing)
      const partitions = connection.partitions(topic)
      const identity = await connection.retry('a producer id', async () => {
        const broker = await connection.cluster.findBroker({ nodeId: connection.leader(topic, 0) })
        return broker.initProducerId({ transactionTimeout: 60_000 })
      })
      const owner = {
        producerId: BigInt(identity.producerId),
        producerEpoch: identity.producerEpoch,
        transactionalId: null,
      }
      const lanes = Array.from({ length: partitions }, (_, partition) => ({
        writer: new PartitionWriter(connection, owner, topic, partition),
        batch: new RecordBatchWriter(),
        sending: undefined,
      }))
      return new Producer(connection, lanes, {
        batchRecords: 2_000,
        batchBytes: 900_000,
        ...options,
        deadlineMs,
      })
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  /** How many partitions the topic has. */
  get partitions(): number {
    return this.#lanes.length
  }

  /** Adds a record. Returns a promise when the caller must wait before adding more, otherwise undefined. */
  add(key: Buffer, value: Buffer, headers?: readonly RecordHeader[]): Promise<void> | undefined {
    return this.addTo(partitionOf(key, this.#lanes.length), key, value, headers)
  }

  /** The same for a value in two parts, of which the head holds the key. Everything is copied. */
  addParts(parts: ValueHead, rest: Buffer): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure)
    const { head, headEnd, keyAt, keyEnd } = parts
    const lane = this.#lanes[partitionOf(head, this.#lanes.length, keyAt, keyEnd)]!
    const sending = this.#sendIfFull(lane, keyEnd - keyAt + headEnd + rest.length)
    lane.batch.appendParts(parts, rest)
    return sending
  }

  /** The same for a stated partition, where key and value may be absent. */
  addTo(
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    headers?: readonly RecordHeader[],
  ): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure)
    const lane = this.#lanes[partition]!
    const sending = this.#sendIfFull(lane, (key?.length ?? 0) + (value?.length ?? 0))
    lane.batch.append(key, value, headers)
    return sending
  }

  /** Resolves when every record added so far is acknowledged by all in-sync replicas. */
  async flush(): Promise<void> {
    for (const lane of this.#lanes) if (lane.batch.records > 0) await this.#send(lane)
    for (const lane of this.#lanes) await lane.sending
    if (this.#failure) throw this.#failure
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  /** Makes room for a record of so many bytes. */
  #sendIfFull(lane: Lane, recordBytes: number): Promise<void> | undefined {
    const { batchRecords, batchBytes } = this.#options
    const { batch } = lane
    const isFull = batch.records >= batchRecords || !batch.hasRoomFor(recordBytes, batchBytes)
    return isFull ? this.#send(lane) : undefined
  }

  /** Resolves when the batch before is acknowledged, and leaves this one under way. */
  async #send(lane: Lane): Promise<void> {
    const before = lane.sending
    const batch = lane.batch.seal()
    const sending = (async () => {
      await before
      if (this.#failure) throw this.#failure
      await lane.writer.write(batch, { deadlineMs: this.#options.deadlineMs })
    })()
    lane.sending = sending
    sending.catch((error: unknown) => {
      this.#failure ??= error as ChatfeedError
    })
    await before
  }
}

function isMissing(error: unknown): never {
  const { code, message } = error as ChatfeedError
  if (code !== 'kafka_unknown_topic_or_partition') throw error
  throw new ChatfeedError('fatal', 'no_topic', `There is no such topic: ${message}`, { cause: error })
}
