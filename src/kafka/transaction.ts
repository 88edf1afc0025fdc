import type { Connection, RetryOptions } from './connection.ts'
import { PartitionWriter, type ProducerIdentity } from './produce.ts'
import type { SealedBatch } from './record-batch.ts'

/** What one transaction writes to one partition, in order. */
export interface TransactionOutput {
  topic: string
  partition: number
  batches: readonly SealedBatch[]
}

/** The offsets that one transaction moves: the next offset to read of each input partition. */
export interface TransactionOffsets {
  groupId: string
  positions: readonly { topic: string; partition: number; offset: number }[]
}

/** Time limits of a transaction. */
export interface TransactionOptions {
  /** After this the broker aborts a transaction whose owner is silent, and readers behind it go on. */
  timeoutMs?: number
  /** How long a step is tried before the transaction fails. */
  deadlineMs?: number
  /** Once aborted, a step that fails is not tried again. The connection's own signal by default. */
  signal?: AbortSignal
}

/**
 * The one transactional writer of a task. Opening it fences every earlier writer of the same id and waits until
 * the last transaction of that id is finished, so offsets read afterwards are true. A transaction is one call:
 * outputs and offsets together or not at all. After an error the outcome is unknown: open a new writer and
 * read the committed offsets again; that tells.
 */
export class TransactionalWriter {
  readonly #connection: Connection
  readonly #identity: ProducerIdentity & { transactionalId: string }
  readonly #retry: RetryOptions
  readonly #writers = new Map<string, PartitionWriter>()

  private constructor(
    connection: Connection,
    identity: ProducerIdentity & { transactionalId: string },
    retry: RetryOptions,
  ) {
    this.#connection = connection
    this.#identity = identity
    this.#retry = retry
  }

  static async open(
    connection: Connection,
    transactionalId: string,
    options: TransactionOptions = {},
  ): Promise<TransactionalWriter> {
    const { timeoutMs = 20_000, deadlineMs = 60_000, signal } = options
    const { producerId, producerEpoch } = await connection.retry(
      `fencing ${transactionalId}`,
      async () => {
        const coordinator = await connection.transactionCoordinator(transactionalId)
        return coordinator.initProducerId({ transactionalId, transactionTimeout: timeoutMs })
      },
      { deadlineMs, signal },
    )
    const identity = { producerId: BigInt(producerId), producerEpoch, transactionalId }
    return new TransactionalWriter(connection, identity, { deadlineMs, signal })
  }

  /**
   * Commits outputs and offsets. Steps that do not depend on each other go out together: partitions and group
   * are registered, then records and offsets are written, then the transaction ends.
   */
  async commit(outputs: readonly TransactionOutput[], offsets?: TransactionOffsets): Promise<void> {
    await Promise.all([this.#register(outputs), offsets && this.#registerGroup(offsets)])
    await settle([
      ...outputs.map((output) => this.#write(output)),
      ...(offsets ? [this.#writeOffsets(offsets)] : []),
    ])
    await this.#call('committing a transaction', (owner) =>
      this.#coordinator().then((coordinator) => coordinator.endTxn({ ...owner, transactionResult: true })),
    )
  }

  async #register(outputs: readonly TransactionOutput[]): Promise<void> {
    if (outputs.length === 0) return
    const topics = outputs.map(({ topic, partition }) => ({ topic, partitions: [partition] }))
    await this.#call('beginning a transaction', (owner) =>
      this.#coordinator().then((coordinator) => coordinator.addPartitionsToTxn({ ...owner, topics })),
    )
  }

  async #registerGroup({ groupId }: TransactionOffsets): Promise<void> {
    await this.#call('beginning a transaction', (owner) =>
      this.#coordinator().then((coordinator) => coordinator.addOffsetsToTxn({ ...owner, groupId })),
    )
  }

  async #write({ topic, partition, batches }: TransactionOutput): Promise<void> {
    const name = `${topic}-${partition}`
    let writer = this.#writers.get(name)
    if (!writer) {
      writer = new PartitionWriter(this.#connection, this.#identity, topic, partition)
      this.#writers.set(name, writer)
    }
    for (const batch of batches) await writer.write(batch, this.#retry)
  }

  async #writeOffsets({ groupId, positions }: TransactionOffsets): Promise<void> {
    const topics = positions.map(({ topic, partition, offset }) => ({
      topic,
      partitions: [{ partition, offset: String(offset), metadata: '' }],
    }))
    await this.#call('writing offsets', (owner) =>
      this.#connection
        .groupCoordinator(groupId)
        .then((coordinator) => coordinator.txnOffsetCommit({ ...owner, groupId, topics })),
    )
  }

  #coordinator() {
    return this.#connection.transactionCoordinator(this.#identity.transactionalId)
  }

  #call<T>(
    doing: string,
    call: (owner: { transactionalId: string; producerId: string; producerEpoch: number }) => Promise<T>,
  ): Promise<T> {
    const { transactionalId, producerId, producerEpoch } = this.#identity
    return this.#connection.retry(
      doing,
      () => call({ transactionalId, producerId: String(producerId), producerEpoch }),
      this.#retry,
    )
  }
}

/** Waits for all, so that nothing of a failed transaction is still under way, then throws the first error. */
async function settle(steps: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(steps)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
