import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError, explain } from '../errors.ts'
import { unlessAborted } from './abort.ts'
import type { Connection } from './connection.ts'
import { kafkaError } from './kafka-error.ts'
import { type AbortedTransaction, RecordSet } from './record-set.ts'
import { RequestBody } from './request.ts'
import { apiKeys, isolation, type ProtocolCall, protocolError } from './wire.ts'

const firstWaitMs = 50
const longestWaitMs = 1_000

const errorCodes = { none: 0, offsetOutOfRange: 1 } as const

/** Bounds of one answer. The defaults suit a stage. */
export interface FetchOptions {
  /** How long the broker holds an answer back while there is nothing new. */
  maxWaitMs?: number
  /** Bound of one answer; the first batch of a partition comes whole, whatever its size. */
  maxBytes?: number
  maxPartitionBytes?: number
}

interface Position {
  topic: string
  partition: number
  offset: number
}

interface PartitionAnswer extends Position {
  errorCode: number
  bytes: Buffer
  aborted: AbortedTransaction[]
}

/**
 * Reads partitions from stated offsets, read_committed. One request is under way to each leader, so a quiet
 * broker holds up nobody. Offsets move only forward and only by what was handed out; a position out of range
 * is an error and never a silent jump.
 */
export class Fetcher {
  readonly #connection: Connection
  readonly #options: Required<FetchOptions>
  readonly #positions = new Map<string, Position>()
  readonly #inFlight = new Map<number, Promise<{ leader: number; answers: PartitionAnswer[] }>>()

  #trouble: string | null = null
  #waitMs = firstWaitMs

  constructor(connection: Connection, options: FetchOptions = {}) {
    this.#connection = connection
    this.#options = { maxWaitMs: 500, maxBytes: 8 << 20, maxPartitionBytes: 1 << 20, ...options }
  }

  /** Adds a partition, or moves it. */
  seek(topic: string, partition: number, offset: number): void {
    this.#positions.set(`${topic}-${partition}`, { topic, partition, offset })
  }

  /** Why the last `poll` brought nothing although it may not be the end, in a sentence; null when it went well. */
  get trouble(): string | null {
    return this.#trouble
  }

  /**
   * The next records, of at least one partition, or an empty list: after about `maxWaitMs` without any, or after a
   * moment's rest where the network or the leader failed (`trouble` says so; call again). Throws ChatfeedError
   * `fatal`, with code `offset_out_of_range` when records were deleted before they were read.
   */
  async poll(signal?: AbortSignal): Promise<RecordSet[]> {
    if (signal?.aborted) return []
    try {
      this.#request()
      const first = await unlessAborted(this.#first(), signal)
      if (first) this.#inFlight.delete(first.leader)
      const sets = first ? this.#accept(first.answers) : []
      this.#trouble = null
      this.#waitMs = firstWaitMs
      return sets
    } catch (cause) {
      const error = kafkaError(cause, 'fetching')
      if (error.remedy === 'fatal') throw error
      this.#trouble = explain(error)
      await this.#recover(error.code, signal)
      return []
    }
  }

  /** Sends the next request now, so that its answer comes while the records of the last `poll` are worked on. */
  ahead(): void {
    try {
      this.#request()
    } catch (error) {
      // The next poll meets the same fault and waits for it to pass.
      this.#connection.log.debug({ code: kafkaError(error, 'fetching').code }, 'not fetching ahead')
    }
  }

  async #recover(code: string, signal: AbortSignal | undefined): Promise<void> {
    this.#inFlight.clear()
    this.#connection.log.debug({ code }, 'fetch will be made again')
    await delay(this.#waitMs, undefined, { signal }).catch(() => undefined)
    this.#waitMs = Math.min(this.#waitMs * 2, longestWaitMs)
    try {
      await this.#connection.retry('metadata', () => this.#connection.refresh(), { deadlineMs: 0, signal })
    } catch (error) {
      // The next poll meets the same fault, unless it is one that no waiting mends.
      if (kafkaError(error, 'metadata').remedy === 'fatal' && !signal?.aborted) throw error
    }
  }

  #request(): void {
    const byLeader = new Map<number, Position[]>()
    for (const position of this.#positions.values()) {
      const leader = this.#connection.leader(position.topic, position.partition)
      const group = byLeader.get(leader)
      if (group) group.push(position)
      else byLeader.set(leader, [position])
    }
    for (const [leader, positions] of byLeader) {
      if (this.#inFlight.has(leader)) continue
      const asked = positions.map((position) => ({ ...position }))
      const answers = this.#connection
        .send(leader, fetchCall(asked, this.#options))
        .then((partitions) => ({ leader, answers: partitions }))
      // Awaited in #first; until then a rejection must not count as unhandled.
      answers.catch(() => undefined)
      this.#inFlight.set(leader, answers)
    }
  }

  /** Without a partition to read there is nothing but the wait. */
  async #first(): Promise<{ leader: number; answers: PartitionAnswer[] } | undefined> {
    if (this.#inFlight.size > 0) return Promise.race(this.#inFlight.values())
    await delay(this.#options.maxWaitMs)
    return undefined
  }

  #accept(answers: PartitionAnswer[]): RecordSet[] {
    const sets: RecordSet[] = []
    for (const answer of answers) {
      if (this.#positionOf(answer) !== answer.offset) continue // moved meanwhile
      if (answer.errorCode === errorCodes.offsetOutOfRange) {
        throw new ChatfeedError(
          'fatal',
          'offset_out_of_range',
          `Offset ${answer.offset} of ${answer.topic}-${answer.partition} no longer exists: records were deleted before they were read.`,
          {
            mend: 'Raise the retention of the topic; then reset the offsets of the group, or for a sink move its store away, so that it fills anew.',
          },
        )
      }
      if (answer.errorCode !== errorCodes.none) throw protocolError(answer.errorCode)
      const set = new RecordSet(answer.topic, answer.partition, answer.offset, answer.bytes, answer.aborted)
      if (set.nextOffset > answer.offset) sets.push(set)
    }
    // Only now, when no partition of the answer has failed: what is not handed out must be asked for again.
    for (const { topic, partition, nextOffset } of sets) {
      // Moved to the end of the next request, where the bound of an answer falls on others.
      this.#positions.delete(`${topic}-${partition}`)
      this.seek(topic, partition, nextOffset)
    }
    return sets
  }

  #positionOf({ topic, partition }: PartitionAnswer): number | undefined {
    return this.#positions.get(`${topic}-${partition}`)?.offset
  }
}

/** Fetch, version 11. */
function fetchCall(
  positions: readonly Position[],
  options: Required<FetchOptions>,
): ProtocolCall<PartitionAnswer[]> {
  const byTopic = new Map<string, Position[]>()
  for (const position of positions)
    byTopic.set(position.topic, [...(byTopic.get(position.topic) ?? []), position])
  return {
    request: {
      apiKey: apiKeys.fetch,
      apiVersion: 11,
      apiName: 'Fetch',
      encode: () => Promise.resolve(new RequestBody(...encodeFetch(byTopic, options))),
    },
    response: {
      decode: (raw) => Promise.resolve(decodeFetch(raw, positions)),
      parse: (answers) => Promise.resolve(answers),
    },
    requestTimeout: options.maxWaitMs + 30_000,
  }
}

function encodeFetch(byTopic: Map<string, Position[]>, options: Required<FetchOptions>): Buffer[] {
  const parts: Buffer[] = []
  const head = Buffer.alloc(29)
  head.writeInt32BE(-1, 0) // replica id: a client
  head.writeInt32BE(options.maxWaitMs, 4)
  head.writeInt32BE(1, 8) // min bytes
  head.writeInt32BE(options.maxBytes, 12)
  head.writeInt8(isolation.readCommitted, 16)
  head.writeInt32BE(0, 17) // no fetch session
  head.writeInt32BE(-1, 21)
  head.writeInt32BE(byTopic.size, 25)
  parts.push(head)
  for (const [topic, positions] of byTopic) {
    const name = Buffer.from(topic)
    const topicHead = Buffer.alloc(2 + name.length + 4)
    topicHead.writeInt16BE(name.length, 0)
    name.copy(topicHead, 2)
    topicHead.writeInt32BE(positions.length, 2 + name.length)
    parts.push(topicHead)
    for (const { partition, offset } of positions) {
      const entry = Buffer.alloc(28)
      entry.writeInt32BE(partition, 0)
      entry.writeInt32BE(-1, 4) // current leader epoch: not known
      entry.writeBigInt64BE(BigInt(offset), 8)
      entry.writeBigInt64BE(-1n, 16) // log start offset: followers only
      entry.writeInt32BE(options.maxPartitionBytes, 24)
      parts.push(entry)
    }
  }
  parts.push(Buffer.from([0, 0, 0, 0, 0, 0])) // no forgotten topics, empty rack
  return parts
}

function decodeFetch(raw: Buffer, asked: readonly Position[]): PartitionAnswer[] {
  const answers: PartitionAnswer[] = []
  let at = 4 // throttle time
  const errorCode = raw.readInt16BE(at)
  if (errorCode !== errorCodes.none) throw protocolError(errorCode)
  at += 6 // error code, session id
  const topics = raw.readInt32BE(at)
  at += 4
  for (let t = 0; t < topics; t++) {
    const nameLength = raw.readInt16BE(at)
    const topic = raw.toString('utf8', at + 2, at + 2 + nameLength)
    at += 2 + nameLength
    const partitions = raw.readInt32BE(at)
    at += 4
    for (let p = 0; p < partitions; p++) {
      const partition = raw.readInt32BE(at)
      const partitionError = raw.readInt16BE(at + 4)
      at += 30 // partition, error, high watermark, last stable offset, log start offset
      const aborted: AbortedTransaction[] = []
      let count = raw.readInt32BE(at)
      at += 4
      for (; count > 0; count--, at += 16) {
        aborted.push({ producerId: raw.readBigInt64BE(at), firstOffset: Number(raw.readBigInt64BE(at + 8)) })
      }
      at += 4 // preferred read replica
      const length = Math.max(0, raw.readInt32BE(at))
      at += 4
      const offset =
        asked.find((position) => position.topic === topic && position.partition === partition)?.offset ?? -1
      answers.push({
        topic,
        partition,
        offset,
        errorCode: partitionError,
        bytes: raw.subarray(at, at + length),
        aborted,
      })
      at += length
    }
  }
  return answers
}
