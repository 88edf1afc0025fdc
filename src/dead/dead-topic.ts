import type { Codecs } from '../codecs.ts'
import { ChatfeedError } from '../errors.ts'
import type { Connection } from '../kafka/connection.ts'
import { type PartitionOffsets, topicOffsets } from '../kafka/offsets.ts'
import { readRange } from '../kafka/range.ts'
import { Letter } from './letter.ts'
import { type Resolution, resolutionIn } from './resolution.ts'

/** Where a letter lies: little enough to hold one for each of many letters. */
export interface FoundLetter {
  partition: number
  offset: number
  atMs: number
  /** Absent while it is open. */
  resolution?: Resolution
}

/** Which letters are looked for. */
export type LetterState = 'open' | 'resolved' | 'all'

/**
 * The topic `dead` as it was when it was opened: what comes later, such as a letter that dies again while it is
 * replayed, is for the next call. A letter is open until a record behind it says what became of it.
 */
export class DeadTopic {
  readonly #connection: Connection
  readonly #codecs: Codecs
  readonly #topic: string
  readonly #ends: PartitionOffsets
  readonly #signal: AbortSignal | undefined

  private constructor(
    connection: Connection,
    codecs: Codecs,
    topic: string,
    ends: PartitionOffsets,
    signal?: AbortSignal,
  ) {
    this.#connection = connection
    this.#codecs = codecs
    this.#topic = topic
    this.#ends = ends
    this.#signal = signal
  }

  static async open(
    connection: Connection,
    codecs: Codecs,
    topic: string,
    signal?: AbortSignal,
  ): Promise<DeadTopic> {
    await connection.know([topic])
    const ends = await topicOffsets(connection, topic, 'latest')
    return new DeadTopic(connection, codecs, topic, ends, signal)
  }

  /**
   * Reads every partition once and hands out what it found there: the letters that `wanted` accepts, the open ones,
   * those of which it is known what became of them, or all. Throws ChatfeedError `stopped` when the signal aborts.
   */
  async *find(state: LetterState, wanted: (letter: Letter) => boolean): AsyncGenerator<FoundLetter[]> {
    for (const [partition, to] of this.#ends) {
      const open = new Map<number, FoundLetter>()
      const resolved: FoundLetter[] = []
      for await (const records of readRange(this.#connection, this.#topic, partition, this.#range({ to }))) {
        for (const record of records) {
          const told = resolutionIn(record)
          if (told) {
            const letter = open.get(told.offset) // none: not wanted, told before, or gone by retention
            open.delete(told.offset)
            if (letter && state !== 'open') resolved.push({ ...letter, resolution: told.resolution })
          } else if (wanted(new Letter(this.#codecs, partition, record))) {
            open.set(record.offset, { partition, offset: record.offset, atMs: record.timestampMs })
          }
        }
      }
      this.#refuseHalf()
      yield state === 'resolved' ? resolved : [...open.values(), ...resolved]
    }
  }

  /** Reads letters that were found, by partition and offset. Ends early when the signal aborts. */
  async *read(found: readonly FoundLetter[]): AsyncGenerator<Letter> {
    for (const [partition, letters] of byPartition(found)) {
      const offsets = [...letters.keys()].sort((a, b) => a - b)
      const range = this.#range({ from: offsets[0]!, to: offsets.at(-1)! + 1 })
      for await (const records of readRange(this.#connection, this.#topic, partition, range)) {
        for (const record of records) {
          if (this.#signal?.aborted) return
          const wanted = letters.get(record.offset)
          if (!wanted) continue
          const letter = new Letter(this.#codecs, partition, record)
          letter.resolution = wanted.resolution
          yield letter
        }
      }
    }
  }

  /** The number of open letters. */
  async count(): Promise<number> {
    let count = 0
    for await (const found of this.find('open', () => true)) count += found.length
    return count
  }

  #range(range: { from?: number; to: number }) {
    return { ...range, ...(this.#signal && { signal: this.#signal }) }
  }

  /** What was read in part shows letters as open of which it is known what became of them. */
  #refuseHalf(): void {
    if (this.#signal?.aborted)
      throw new ChatfeedError('transient', 'stopped', 'Stopped while the dead letters were read.')
  }
}

function byPartition(found: readonly FoundLetter[]): Map<number, Map<number, FoundLetter>> {
  const partitions = new Map<number, Map<number, FoundLetter>>()
  for (const letter of found) {
    const letters = partitions.get(letter.partition) ?? new Map<number, FoundLetter>()
    partitions.set(letter.partition, letters.set(letter.offset, letter))
  }
  return partitions
}
