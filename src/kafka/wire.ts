/**
 * The door to kafkajs. chatfeed uses its connections, metadata and protocol messages, and keeps the parts
 * that lose, repeat or stall (facts in docs/kafka.md) out of the way: producing, fetching, transactions and
 * group membership are written here, on the broker calls below. Pinned to kafkajs 2.2.4.
 */
import { createRequire } from 'node:module'
import type { Logger } from '../log.ts'
import { frameRequest, type RequestBody } from './request.ts'
import type { Sockets } from './sockets.ts'

const require = createRequire(import.meta.url)

/** How to reach a cluster. */
export interface KafkaConnection {
  brokers: readonly string[]
  tls?: boolean | { ca?: string | undefined; cert?: string | undefined; key?: string | undefined }
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string }
  /** Shown in the brokers' logs and group descriptions. */
  clientId: string
}

/** One request with its decoder, as kafkajs' connections send it. */
export interface ProtocolCall<Response> {
  request: {
    apiKey: number
    apiVersion: number
    apiName: string
    expectResponse?: () => boolean
    encode(): Promise<RequestBody>
  }
  response: { decode(raw: Buffer): Promise<Response>; parse(data: Response): Promise<Response> }
  requestTimeout?: number
}

interface TopicOffsets {
  topic: string
  partitions: { partition: number; offset: string; metadata?: string | null; errorCode?: number }[]
}

interface TransactionIdentity {
  transactionalId: string
  producerId: string
  producerEpoch: number
}

/** The calls of kafkajs' `Broker` that chatfeed makes. Answers with an error code are thrown. */
export interface Broker {
  readonly nodeId: number
  readonly connectionPool: { send<Response>(call: ProtocolCall<Response>): Promise<Response> }
  disconnect(): Promise<void>
  findGroupCoordinator(request: {
    groupId: string
    coordinatorType: 0 | 1
  }): Promise<{ coordinator: { nodeId: number } }>
  initProducerId(request: {
    transactionalId?: string | undefined
    transactionTimeout: number
  }): Promise<{ producerId: string; producerEpoch: number }>
  addPartitionsToTxn(
    request: TransactionIdentity & { topics: { topic: string; partitions: number[] }[] },
  ): Promise<unknown>
  addOffsetsToTxn(request: TransactionIdentity & { groupId: string }): Promise<unknown>
  txnOffsetCommit(
    request: TransactionIdentity & { groupId: string; topics: TopicOffsets[] },
  ): Promise<unknown>
  endTxn(request: TransactionIdentity & { transactionResult: boolean }): Promise<unknown>
  syncGroup(request: {
    groupId: string
    generationId: number
    memberId: string
    groupAssignment: { memberId: string; memberAssignment: Buffer }[]
  }): Promise<{ memberAssignment: Buffer }>
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>
  describeGroups(request: { groupIds: string[] }): Promise<{
    groups: { members: { memberId: string; clientId: string }[] }[]
  }>
  offsetFetch(request: {
    groupId: string
    topics: { topic: string; partitions: { partition: number }[] }[]
  }): Promise<{ responses: TopicOffsets[] }>
  offsetCommit(request: {
    groupId: string
    groupGenerationId: number
    memberId: string
    topics: TopicOffsets[]
  }): Promise<unknown>
  listOffsets(request: {
    replicaId: number
    isolationLevel: number
    topics: { topic: string; partitions: { partition: number; timestamp: string | number }[] }[]
  }): Promise<{ responses: TopicOffsets[] }>
}

/** What a member asks when it joins. */
export interface JoinRequest {
  groupId: string
  sessionTimeout: number
  rebalanceTimeout: number
  memberId: string
  groupProtocols: { name: string; metadata: Buffer }[]
}

/** What a joining member is told; `members` is empty but for the leader. */
export interface JoinResponse {
  generationId: number
  leaderId: string
  memberId: string
  members: { memberId: string; memberMetadata: Buffer }[]
}

/** kafkajs' `Cluster`: metadata and one set of connections. */
export interface Cluster {
  readonly brokerPool: { findConnectedBroker(): Promise<Broker> }
  connect(): Promise<void>
  refreshMetadata(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[]
  findBroker(options: { nodeId: number }): Promise<Broker>
}

/** An error of kafkajs, by its shape. */
export interface KafkajsError extends Error {
  type?: string
  code?: number | string
  retriable?: boolean
  memberId?: string
  originalError?: Error
  cause?: unknown
}

/** Coordinator types of the protocol. */
export const coordinator = { group: 0, transaction: 1 } as const
/** API keys of the requests that are written here. */
export const apiKeys = { produce: 0, fetch: 1 } as const
/** Isolation levels of the protocol. */
export const isolation = { readUncommitted: 0, readCommitted: 1 } as const

// Before the module that makes connections is loaded.
const requestModule = require.resolve('kafkajs/src/protocol/request')
require(requestModule)
require.cache[requestModule]!.exports = frameRequest

const ClusterClass = require('kafkajs/src/cluster') as new (options: Record<string, unknown>) => Cluster
const { createLogger } = require('kafkajs/src/loggers') as {
  createLogger: (options: { level: number; logCreator: LogCreator }) => unknown
}
interface RequestQueue {
  pending: unknown[]
  throttledUntil: number
  scheduleCheckPendingRequests: (this: RequestQueue) => void
}
const { prototype: requestQueue } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => KafkajsError
}
const { protocol: joinGroupProtocol } = require('kafkajs/src/protocol/requests/joinGroup') as {
  protocol: (options: {
    version: number
  }) => (request: JoinRequest & { protocolType: string }) => ProtocolCall<JoinResponse>
}
interface BrokerConnection {
  connect: (this: BrokerConnection) => Promise<unknown>
  connecting?: Promise<unknown> | undefined
}
const { prototype: brokerConnection } = require('kafkajs/src/network/connection') as {
  prototype: BrokerConnection
}

type LogCreator = (
  level: number,
) => (entry: { level: number; label: string; namespace: string; log: { message: string } }) => void

/**
 * kafkajs looks for waiting requests with a timer of about 1 ms that never ends, per connection
 * (tulios/kafkajs#1704). It is needed only while something waits.
 */
const { scheduleCheckPendingRequests } = requestQueue
requestQueue.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleCheckPendingRequests.call(this)
}

/**
 * Two requests that find a connection closed would each open one, and the first of both is lost: never closed, and
 * taken for the other when the broker closes it.
 */
const { connect } = brokerConnection
brokerConnection.connect = function () {
  this.connecting ??= connect.call(this).finally(() => {
    this.connecting = undefined
  })
  return this.connecting
}

/** kafkajs' own chatter (reconnects, refreshes) is for debugging: every error reaches the caller as well. */
function logCreator(log: Logger): LogCreator {
  return () => (entry) => {
    log.debug({ kafkajs: entry.namespace, level: entry.label }, entry.log.message)
  }
}

/**
 * A new set of connections, opened lazily. One per task, because a broker answers the requests of one
 * connection in turn: a waiting fetch or an `acks=all` produce would hold up its neighbours.
 */
export function newCluster(connection: KafkaConnection, log: Logger, sockets: Sockets): Cluster {
  const { tls } = connection
  return new ClusterClass({
    logger: createLogger({ level: log.isLevelEnabled('debug') ? 5 : 0, logCreator: logCreator(log) }),
    socketFactory: sockets.open,
    brokers: [...connection.brokers],
    ssl: typeof tls === 'object' ? { ...tls } : tls,
    sasl: connection.sasl,
    clientId: connection.clientId,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    enforceRequestTimeout: true,
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    instrumentationEmitter: null,
    isolationLevel: isolation.readCommitted,
    retry: { initialRetryTime: 50, multiplier: 1.5, maxRetryTime: 1_000, retries: 5 },
  })
}

/**
 * Joins a group. A new member learns its id at once, by `onMemberId`; the answer comes when all members have
 * joined.
 */
export async function joinGroup(
  coordinator: Broker,
  request: JoinRequest,
  onMemberId: (memberId: string) => void,
): Promise<JoinResponse> {
  const join = (memberId: string) =>
    coordinator.connectionPool.send(
      joinGroupProtocol({ version: 5 })({ ...request, memberId, protocolType: 'consumer' }),
    )
  try {
    return await join(request.memberId)
  } catch (error) {
    const { name, memberId } = error as KafkajsError
    if (name !== 'KafkaJSMemberIdRequired' || memberId === undefined) throw error
    onMemberId(memberId)
    return join(memberId)
  }
}

/** The error of a numeric code of the protocol. */
export function protocolError(code: number): KafkajsError {
  return createErrorFromCode(code)
}
