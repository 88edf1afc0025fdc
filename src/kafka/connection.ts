import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError } from '../errors.ts'
import type { Logger } from '../log.ts'
import { innermost, kafkaError } from './kafka-error.ts'
import { Sockets } from './sockets.ts'
import {
  type Broker,
  type Cluster,
  coordinator,
  type KafkaConnection,
  newCluster,
  type ProtocolCall,
} from './wire.ts'

/** How patient a call is. */
export interface RetryOptions {
  /** Give up after this long; the last error is thrown. */
  deadlineMs?: number
  /** Once aborted, a call that fails is not made again. The connection's own signal by default. */
  signal?: AbortSignal | undefined
}

/**
 * One set of connections to a cluster with patience: a call that meets a moved leader, a loading coordinator
 * or a lost connection is made again, with fresh metadata, until the deadline.
 */
export class Connection {
  readonly cluster: Cluster
  readonly log: Logger
  readonly #sockets = new Sockets()
  readonly #signal: AbortSignal | undefined
  readonly #deadlineMs: number
  readonly #coordinators = new Map<string, number>()
  #connected: Promise<void> | undefined

  /**
   * `signal` ends the patience of every call: what fails is not tried again once it has aborted, nor `deadlineMs`
   * after its beginning, where the call names no deadline of its own.
   */
  constructor(connection: KafkaConnection, log: Logger, signal?: AbortSignal, deadlineMs = 60_000) {
    this.cluster = newCluster(connection, log, this.#sockets)
    this.log = log
    this.#signal = signal
    this.#deadlineMs = deadlineMs
  }

  /** Runs `call` until it succeeds. Throws ChatfeedError: `fatal` at once, `transient` at the deadline. */
  async retry<T>(doing: string, call: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
    const { deadlineMs = this.#deadlineMs, signal = this.#signal } = options
    const deadline = Date.now() + deadlineMs
    for (let waitMs = 5; ; waitMs = Math.min(waitMs * 1.6, 1_000)) {
      try {
        await this.#connect()
        return await call()
      } catch (cause) {
        const error = kafkaError(cause, doing)
        if (
          error.remedy !== 'transient' ||
          error.code === 'fenced' ||
          Date.now() > deadline ||
          signal?.aborted ||
          this.#sockets.closed
        )
          throw error
        if (error.code !== 'kafka_concurrent_transactions') await this.#recover(error)
        await delay(waitMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
      }
    }
  }

  async #connect(): Promise<void> {
    this.#connected ??= this.cluster.connect()
    try {
      await this.#connected
    } catch (error) {
      this.#connected = undefined
      throw error
    }
  }

  async #recover(error: ChatfeedError): Promise<void> {
    this.log.debug({ code: error.code }, 'kafka call will be made again')
    try {
      // A connection without answers may be half open, which the network would tell only after many minutes.
      if (innermost(error).name === 'KafkaJSRequestTimeoutError') await this.drop()
      await this.refresh()
    } catch (refreshError) {
      // The next attempt of the call meets the same fault and reports it.
      this.log.debug({ code: kafkaError(refreshError, 'metadata').code }, 'kafka metadata not refreshed')
      this.#connected = undefined
    }
  }

  /** Asks again who leads and who coordinates. */
  async refresh(): Promise<void> {
    this.#coordinators.clear()
    await this.cluster.refreshMetadata()
  }

  /** Closes every socket at once, also under a call that waits; the next call opens new ones. */
  async drop(): Promise<void> {
    await this.#sockets.destroy()
  }

  /** Makes the metadata of these topics known. */
  async know(topics: readonly string[], options?: RetryOptions): Promise<void> {
    await this.retry(
      `metadata of ${topics.join(', ')}`,
      () => this.cluster.addMultipleTargetTopics(topics),
      options,
    )
  }

  /** Number of partitions of a known topic; 0 when it does not exist. */
  partitions(topic: string): number {
    return this.cluster.findTopicPartitionMetadata(topic).length
  }

  /** Node id of the leader, or throws a passing error when there is none now. */
  leader(topic: string, partition: number): number {
    const metadata = this.cluster
      .findTopicPartitionMetadata(topic)
      .find((entry) => entry.partitionId === partition)
    if (!metadata || metadata.leader < 0) {
      throw new ChatfeedError(
        'transient',
        'kafka_leader_not_available',
        `Partition ${topic}-${partition} has no leader now.`,
      )
    }
    return metadata.leader
  }

  /** Sends a ready-made call to one broker. A closed connection is dropped, so that the next call opens a new one. */
  async send<Response>(nodeId: number, call: ProtocolCall<Response>): Promise<Response> {
    const broker = await this.cluster.findBroker({ nodeId })
    try {
      return await broker.connectionPool.send(call)
    } catch (error) {
      if ((error as Error).name === 'KafkaJSConnectionClosedError') await broker.disconnect()
      throw error
    }
  }

  groupCoordinator(groupId: string): Promise<Broker> {
    return this.#coordinator(groupId, coordinator.group)
  }

  transactionCoordinator(transactionalId: string): Promise<Broker> {
    return this.#coordinator(transactionalId, coordinator.transaction)
  }

  /** Asked once, and again after a `refresh`. kafkajs asks before every call, and hides why it got no answer. */
  async #coordinator(name: string, coordinatorType: 0 | 1): Promise<Broker> {
    const key = `${coordinatorType} ${name}`
    let nodeId = this.#coordinators.get(key)
    if (nodeId === undefined) {
      const broker = await this.cluster.brokerPool.findConnectedBroker()
      const found = await broker.findGroupCoordinator({ groupId: name, coordinatorType })
      nodeId = found.coordinator.nodeId
      this.#coordinators.set(key, nodeId)
    }
    return this.cluster.findBroker({ nodeId })
  }

  /** Does not wait for what is under way: it fails. Nothing opens a socket again after this. */
  async close(): Promise<void> {
    await this.#sockets.close()
  }
}
