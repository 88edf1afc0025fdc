import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../log.ts'
import { unlessAborted } from './abort.ts'
import { assign, assignorName, decodeAssignment, encodeSubscription } from './assignor.ts'
import { Connection } from './connection.ts'
import { kafkaError } from './kafka-error.ts'
import { type Broker, joinGroup, type KafkaConnection, type KafkajsError } from './wire.ts'
import { type PartitionWork, PartitionWorkers } from './workers.ts'

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
}

/** How long a call waits for a cluster that is away before the member fails. */
const patienceMs = 600_000
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
  readonly #firstAssignment: Promise<void>
  #assigned: () => void = () => {}
  #memberId = ''
  #generationId = -1
  #failure: Error | undefined

  constructor(options: GroupOptions) {
    this.#options = options
    this.#connection = new Connection(options.kafka, options.log)
    const log = options.log.child({ group: options.groupId })
    this.#workers = new PartitionWorkers(options.work, log, (error) => {
      this.#fail(error)
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
    const { groupId } = this.#options
    await connection.retry(
      'showing how far it was read',
      async () => {
        const coordinator = await connection.groupCoordinator(groupId)
        return coordinator.offsetCommit({
          groupId,
          groupGenerationId: this.#generationId,
          memberId: this.#memberId,
          topics: [{ topic, partitions: [{ partition, offset: String(offset), metadata: '' }] }],
        })
      },
      { deadlineMs: courtesyMs },
    )
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    try {
      await unlessAborted(this.#takePart(signal), signal)
    } catch (error) {
      this.#fail(error as Error)
    }
    await this.#workers.stop()
    await this.#leave()
    await this.#connection.close()
    if (this.#failure) throw this.#failure
  }

  async #takePart(signal: AbortSignal): Promise<void> {
    await this.#connection.know(this.#options.topics, { deadlineMs: patienceMs, signal })
    while (!signal.aborted) {
      try {
        const partitions = await this.#join()
        if (signal.aborted) return
        this.#workers.assign(partitions)
        this.#assigned()
        await this.#beat()
      } catch (error) {
        if (!signal.aborted) await this.#recover(error)
      }
    }
  }

  async #join(): Promise<number[]> {
    const { groupId, topics, log, sessionTimeoutMs = 10_000 } = this.#options
    const [first = ''] = topics
    const coordinator = await this.#connection.retry(
      `coordinator of ${groupId}`,
      async () => {
        const broker = await this.#connection.groupCoordinator(groupId)
        if (this.#generationId < 0) await this.#evictDeadNeighbours(broker)
        return broker
      },
      { deadlineMs: patienceMs, signal: this.#stopping.signal },
    )
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
    log.warn({ group: groupId, code: error.code }, 'group coordinator not there, joining again')
    await this.#pause(500)
    await this.#connection.retry('metadata', () => this.#connection.refresh(), {
      deadlineMs: patienceMs,
      signal: this.#stopping.signal,
    })
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

  /**
   * Takes members out of the group whose process on this machine is dead (client ids end in `@host:pid`), so that a
   * restart after kill -9 need not wait for their session to run out. Only before the first generation: a member
   * that is mistaken about its neighbours, in a container that shares the host's name, then disturbs them once.
   */
  async #evictDeadNeighbours(coordinator: Broker): Promise<void> {
    const { groupId, log, kafka } = this.#options
    const { clientId } = kafka
    const host = clientId.slice(clientId.indexOf('@'), clientId.lastIndexOf(':') + 1)
    if (!host) return
    try {
      const { groups } = await coordinator.describeGroups({ groupIds: [groupId] })
      for (const member of groups[0]?.members ?? []) {
        const at = member.clientId.indexOf(host)
        if (at >= 0 && !isAlive(Number(member.clientId.slice(at + host.length))))
          await coordinator.leaveGroup({ groupId, memberId: member.memberId })
      }
    } catch (error) {
      // Another member may have been quicker; if not, the session runs out by itself.
      log.debug({ group: groupId, code: kafkaError(error, 'looking for dead members').code }, 'not evicted')
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
