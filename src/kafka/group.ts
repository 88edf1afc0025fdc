import { setTimeout as delay } from 'node:timers/promises'
import { withDeadline } from '../deadline.ts'
import { ChatfeedError, explain, isTransient } from '../errors.ts'
import type { Logger } from '../log.ts'
import { unlessAborted } from './abort.ts'
import { assign, assignorName, decodeAssignment, encodeSubscription } from './assignor.ts'
import { Connection } from './connection.ts'
import { kafkaError } from './kafka-error.ts'
import { evictDeadNeighbours } from './neighbours.ts'
import { joinGroup, type KafkaConnection, type KafkajsError } from './wire.ts'
import { stalled, Watchdog } from './watchdog.ts'
import { defaultStallMs, type PartitionWork, PartitionWorkers } from './workers.ts'

/** What a member joins and works on. */
export interface GroupOptions {
  kafka: KafkaConnection
  log: Logger
  groupId: string
  /** All with the same number of partitions. */
  topics: readonly string[]
  work: PartitionWork
  /** A dead member's partitions are given away after this long. */
  sessionTimeoutMs?: number
  heartbeatIntervalMs?: number
  /** Work that shows no sign of life for so long, beyond the rests it announces, fails the member. */
  stallMs?: number
}

/** How long a call is tried before the member says that the cluster is away, and tries again. */
const turnMs = 10_000
/** Work that does not end in this time when it is told to hangs. */
const stopMs = 8_000
/** How long a call waits for the group's sake only, and not for the work. */
const courtesyMs = 2_000

/**
 * One member of a consumer group that shares partition numbers. It joins, works on what it is given, beats, and
 * joins again when the group changes; work on kept numbers goes on meanwhile. Nothing fails silently: `done`
 * rejects when the member cannot go on.
 */
export class GroupMember {
  /** Resolves after `stop`, rejects when the member or its work failed for good. */
  readonly done: Promise<void>
  readonly #options: GroupOptions
  readonly #connection: Connection
  readonly #stopping = new AbortController()
  readonly #workers: PartitionWorkers
  readonly #watchdog: Watchdog<'membership'>
  readonly #firstAssignment: Promise<void>
  #assigned: () => void = () => {}
  #memberId = ''
  #generationId = -1
  #failure: Error | undefined
  #trouble: string | null = null
  #hasJoined = false

  constructor(options: GroupOptions) {
    this.#options = options
    this.#connection = new Connection(options.kafka, options.log)
    const log = options.log.child({ group: options.groupId })
    const { stallMs = defaultStallMs } = options
    this.#workers = new PartitionWorkers(
      options.work,
      log,
      (error) => {
        this.#fail(error)
      },
      stallMs,
    )
    this.#watchdog = new Watchdog(stallMs, (_name, silentMs) => {
      this.#fail(stalled(`The membership of ${options.groupId}`, silentMs))
    })
    this.#firstAssignment = new Promise((resolve) => {
      this.#assigned = resolve
    })
    this.done = this.#run()
    // The caller awaits `done` later; a failure before must not count as unhandled.
    this.done.catch(() => undefined)
  }

  /** The partition numbers this member works on. */
  get partitions(): number[] {
    return this.#workers.partitions
  }

  /** False before the first assignment. */
  get hasJoined(): boolean {
    return this.#hasJoined
  }

  /** The member or its work failed for good, and ends; `done` tells when it has ended. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** What keeps this member or its work from going on now, in sentences for the user; empty while all is well. */
  get troubles(): string[] {
    return this.#trouble === null ? this.#workers.troubles : [this.#trouble]
  }

  /** For work that ends by itself: resolves when all of the first assignment has ended, rejects as `done` does. */
  async finished(): Promise<void> {
    await Promise.race([this.#firstAssignment.then(() => this.#workers.ended()), this.done])
    // Work also ends by failing.
    if (this.#failure) throw this.#failure
  }

  /** Finishes what is under way, leaves the group and closes. Rejects as `done` does. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.done
  }

  /**
   * Tells the group how far a partition was read, for lag monitors. A stale member's word is refused by the broker.
   * Goes over the worker's own connection, because nothing is answered behind a JoinGroup.
   */
  async commitOffset(
    connection: Connection,
    topic: string,
    partition: number,
    offset: number,
  ): Promise<void> {
    await connection.retry(
      'showing how far it was read',
      () => this.#commit(connection, topic, partition, offset),
      { deadlineMs: courtesyMs },
    )
  }

  /**
   * Makes the group keep the place that a partition was read to. Tried again while the group changes, for its work on a
   * kept partition goes on. Throws ChatfeedError `transient` when the group does not take it in time, or no longer knows
   * this member.
   */
  async commitPlace(connection: Connection, topic: string, partition: number, offset: number): Promise<void> {
    await connection.retry('keeping the place', async () => {
      try {
        await this.#commit(connection, topic, partition, offset)
      } catch (error) {
        throw refusedCommit(error) ?? error
      }
    })
  }

  async #commit(connection: Connection, topic: string, partition: number, offset: number): Promise<void> {
    const { groupId } = this.#options
    const coordinator = await connection.groupCoordinator(groupId)
    await coordinator.offsetCommit({
      groupId,
      groupGenerationId: this.#generationId,
      memberId: this.#memberId,
      topics: [{ topic, partitions: [{ partition, offset: String(offset), metadata: '' }] }],
    })
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    try {
      await unlessAborted(this.#takePart(signal), signal)
    } catch (error) {
      this.#fail(error as Error)
    }
    this.#watchdog.close()
    await this.#endWork()
    await this.#leave()
    await this.#connection.close()
    if (this.#failure) throw this.#failure
  }

  /** Nothing is lost when the process ends under work that hangs. */
  async #endWork(): Promise<void> {
    const ended = this.#workers.stop().then(() => true)
    const never = new AbortController().signal
    const isOver = await withDeadline(stopMs, never, (signal) => unlessAborted(ended, signal))
    if (!isOver) this.#failure ??= stalled(`Work of ${this.#options.groupId} that was told to end`, stopMs)
  }

  async #takePart(signal: AbortSignal): Promise<void> {
    await this.#patiently('metadata', () =>
      this.#connection.cluster.addMultipleTargetTopics(this.#options.topics),
    )
    while (!signal.aborted) {
      try {
        this.#watchdog.feed('membership')
        const partitions = await this.#join()
        if (signal.aborted) return
        this.#workers.assign(partitions)
        this.#assigned()
        this.#hasJoined = true
        this.#trouble = null
        await this.#beat()
      } catch (error) {
        if (!signal.aborted) await this.#recover(error)
      }
    }
  }

  async #join(): Promise<number[]> {
    const { groupId, topics, log, kafka, sessionTimeoutMs = 10_000 } = this.#options
    const [first = ''] = topics
    const coordinator = await this.#patiently(`coordinator of ${groupId}`, async () => {
      const broker = await this.#connection.groupCoordinator(groupId)
      if (this.#generationId < 0) await evictDeadNeighbours(broker, groupId, kafka.clientId, log)
      return broker
    })
    const joined = await joinGroup(
      coordinator,
      {
        groupId,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: 30_000,
        memberId: this.#memberId,
        groupProtocols: [{ name: assignorName, metadata: encodeSubscription(topics, this.partitions) }],
      },
      (memberId) => {
        this.#memberId = memberId
      },
    )
    const { memberId, generationId } = joined
    this.#memberId = memberId
    this.#generationId = generationId
    const groupAssignment =
      joined.leaderId === memberId ? assign(joined.members, topics, this.#connection.partitions(first)) : []
    const { memberAssignment } = await coordinator.syncGroup({
      groupId,
      generationId,
      memberId,
      groupAssignment,
    })
    const partitions = decodeAssignment(memberAssignment, first)
    log.info({ group: groupId, generation: generationId, partitions }, 'joined the group')
    return partitions
  }

  /** Returns when the group changes or the member stops; throws when this member is out of the group. */
  async #beat(): Promise<void> {
    const { groupId, heartbeatIntervalMs = 1_000 } = this.#options
    for (;;) {
      this.#watchdog.feed('membership')
      await this.#pause(heartbeatIntervalMs)
      if (this.#stopping.signal.aborted) return
      const coordinator = await this.#connection.groupCoordinator(groupId)
      await coordinator.heartbeat({
        groupId,
        groupGenerationId: this.#generationId,
        memberId: this.#memberId,
      })
    }
  }

  async #recover(cause: unknown): Promise<void> {
    const { groupId, log } = this.#options
    const { type } = cause as KafkajsError
    // A member keeps its id as long as the group knows it: the group would wait for one that was given up.
    if (type === 'REBALANCE_IN_PROGRESS' || type === 'ILLEGAL_GENERATION') return
    if (type === 'UNKNOWN_MEMBER_ID') {
      // Others have the partitions now: going on would only fence them.
      this.#workers.assign([])
      this.#memberId = ''
      return
    }
    const error = kafkaError(cause, `group ${groupId}`)
    if (error.remedy !== 'transient') throw error
    this.#trouble = explain(error)
    log.warn({ group: groupId, code: error.code }, 'group coordinator not there, joining again')
    await this.#pause(500)
    await this.#patiently('metadata', () => this.#connection.refresh())
  }

  /** Waits without end for a cluster that is away; `troubles` says so meanwhile. */
  async #patiently<T>(doing: string, call: () => Promise<T>): Promise<T> {
    const { signal } = this.#stopping
    for (;;) {
      this.#watchdog.feed('membership', turnMs)
      try {
        return await this.#connection.retry(doing, call, { deadlineMs: turnMs, signal })
      } catch (error) {
        if (!isTransient(error) || signal.aborted) throw error
        this.#trouble = explain(error)
      }
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#stopping.abort()
  }

  async #leave(): Promise<void> {
    const { groupId, log } = this.#options
    // A JoinGroup may be under way, behind which nothing is answered.
    await this.#connection.drop()
    if (!this.#memberId) return
    const signal = AbortSignal.timeout(courtesyMs)
    const leaving = this.#connection.retry(
      `leaving ${groupId}`,
      async () => {
        const coordinator = await this.#connection.groupCoordinator(groupId)
        await coordinator.leaveGroup({ groupId, memberId: this.#memberId })
      },
      { signal },
    )
    try {
      await unlessAborted(leaving, signal)
    } catch (error) {
      // The session runs out by itself; leaving only spares the others the wait.
      log.debug({ group: groupId, code: kafkaError(error, 'leaving').code }, 'left without saying so')
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}

/** A commit that came while the group changes, or from a member that it has given up. */
function refusedCommit(cause: unknown): ChatfeedError | null {
  const { type } = cause as KafkajsError
  if (type === 'REBALANCE_IN_PROGRESS' || type === 'ILLEGAL_GENERATION') {
    return new ChatfeedError(
      'transient',
      'kafka_rebalancing',
      'The group is changing and takes no place now.',
      {
        cause,
      },
    )
  }
  if (type !== 'UNKNOWN_MEMBER_ID') return null
  const text = 'The group gave the partition to another member before the place was kept.'
  // The next heartbeat ends the work: until then nothing is written that could not be counted either.
  return new ChatfeedError('transient', 'fenced', text, { cause, retryAfterMs: 5_000 })
}
