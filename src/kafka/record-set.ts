import { ChatfeedError } from '../errors.ts'
import { checksum, decompress } from './codec.ts'

/**
 * Reading record batches as views: one cursor moves over the fetched bytes, with no object a record, correct
 * where kafkajs is not: emptied batches of compacted topics move the offset, aborted transactions of several
 * producers are filtered in the order of their offsets, control records are told by their flag, CRCs are checked.
 */

/** A transaction that was aborted, as the broker lists it beside the records. */
export interface AbortedTransaction {
  producerId: bigint
  firstOffset: number
}

/**
 * The record under the cursor. Valid only until the next step of the iteration; `key()` and `value()` are
 * slices of the fetched bytes: copy what is kept.
 */
export class RecordView {
  buffer: Buffer = Buffer.alloc(0)
  /** Offsets are below 2^53. */
  offset = 0
  timestampMs = 0
  keyStart = 0
  keyEnd = -1
  valueStart = 0
  valueEnd = -1
  headersAt = 0

  key(): Buffer | null {
    return this.keyEnd < 0 ? null : this.buffer.subarray(this.keyStart, this.keyEnd)
  }

  value(): Buffer | null {
    return this.valueEnd < 0 ? null : this.buffer.subarray(this.valueStart, this.valueEnd)
  }

  headers(): Map<string, Buffer> {
    const headers = new Map<string, Buffer>()
    const cursor = new Cursor(this.buffer, this.headersAt)
    for (let count = cursor.varint(); count > 0; count--) {
      const name = cursor.bytes(cursor.varint()).toString()
      const length = cursor.varint()
      headers.set(name, length < 0 ? Buffer.alloc(0) : cursor.bytes(length))
    }
    return headers
  }
}

class Cursor {
  readonly buffer: Buffer
  at: number

  constructor(buffer: Buffer, at: number) {
    this.buffer = buffer
    this.at = at
  }

  /** A zigzag varint of up to 32 bits. */
  varint(): number {
    let byte = this.buffer[this.at++]!
    let raw = byte & 0x7f
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = this.buffer[this.at++]!
      raw |= (byte & 0x7f) << shift
    }
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** A zigzag varint of up to 64 bits, as a double: for timestamp deltas. */
  varlong(): number {
    let byte = this.buffer[this.at++]!
    let raw = byte & 0x7f
    for (let factor = 128; byte > 0x7f; factor *= 128) {
      byte = this.buffer[this.at++]!
      raw += (byte & 0x7f) * factor
    }
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }

  bytes(length: number): Buffer {
    this.at += length
    return this.buffer.subarray(this.at - length, this.at)
  }
}

/** What a set is made of, in values that another thread can be given. */
export interface RecordSetParts {
  topic: string
  partition: number
  fromOffset: number
  bytes: Uint8Array<ArrayBuffer>
  aborted: readonly AbortedTransaction[]
  toOffset: number
}

/** The fetched records of one partition, from the offset asked for. Can be iterated once or more. */
export class RecordSet {
  readonly topic: string
  readonly partition: number
  /** The offset to ask for next: behind every batch here, also emptied, aborted and control batches. */
  readonly nextOffset: number
  readonly #bytes: Buffer
  readonly #fromOffset: number
  readonly #toOffset: number
  readonly #aborted: readonly AbortedTransaction[]

  constructor(
    topic: string,
    partition: number,
    fromOffset: number,
    bytes: Buffer,
    aborted: readonly AbortedTransaction[],
    toOffset = Infinity,
  ) {
    this.topic = topic
    this.partition = partition
    this.#fromOffset = fromOffset
    this.#toOffset = toOffset
    this.#bytes = bytes
    this.#aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
    let next = fromOffset
    for (const batch of this.#batches()) next = Math.max(next, batch.baseOffset + batch.lastOffsetDelta + 1)
    this.nextOffset = Math.min(next, toOffset)
  }

  static from({ topic, partition, fromOffset, bytes, aborted, toOffset }: RecordSetParts): RecordSet {
    const { buffer, byteOffset, byteLength } = bytes
    const view = Buffer.from(buffer, byteOffset, byteLength)
    return new RecordSet(topic, partition, fromOffset, view, aborted, toOffset)
  }

  /** The offset that was asked for: no record here is before it. */
  get fromOffset(): number {
    return this.#fromOffset
  }

  /** A copy of the fetched bytes and what belongs to them, of which `from` makes the set again. */
  toParts(): RecordSetParts {
    return {
      topic: this.topic,
      partition: this.partition,
      fromOffset: this.#fromOffset,
      bytes: Uint8Array.from(this.#bytes),
      aborted: this.#aborted,
      toOffset: this.#toOffset,
    }
  }

  /** The same without the records from this offset on. */
  before(offset: number): RecordSet {
    return new RecordSet(this.topic, this.partition, this.#fromOffset, this.#bytes, this.#aborted, offset)
  }

  /** The same without the records before this offset. */
  since(offset: number): RecordSet {
    const from = Math.max(offset, this.#fromOffset)
    return new RecordSet(this.topic, this.partition, from, this.#bytes, this.#aborted, this.#toOffset)
  }

  /** The committed data records. Throws ChatfeedError `transient` on a wrong CRC, `fatal` on an unknown format. */
  *[Symbol.iterator](): Generator<RecordView> {
    const view = new RecordView()
    const aborting = new Set<bigint>()
    let nextAborted = 0
    for (const batch of this.#batches()) {
      const { at, end, baseOffset, lastOffsetDelta, attributes, producerId } = batch
      while (
        nextAborted < this.#aborted.length &&
        this.#aborted[nextAborted]!.firstOffset <= baseOffset + lastOffsetDelta
      ) {
        aborting.add(this.#aborted[nextAborted++]!.producerId)
      }
      if (attributes & 0x20) {
        aborting.delete(producerId) // its transaction ends here, whichever way
        continue
      }
      if (attributes & 0x10 && aborting.has(producerId)) continue
      const count = this.#bytes.readInt32BE(at + 57)
      if (count === 0) continue
      this.#verify(at, end)
      const baseTimestamp = Number(this.#bytes.readBigInt64BE(at + 27))
      const appendTime = attributes & 0x08 ? Number(this.#bytes.readBigInt64BE(at + 35)) : undefined
      view.buffer = decompress(attributes & 0x07, this.#bytes.subarray(at + 61, end))
      const cursor = new Cursor(view.buffer, 0)
      for (let index = 0; index < count; index++) {
        const size = cursor.varint()
        const recordEnd = cursor.at + size
        cursor.at++ // attributes
        view.timestampMs = appendTime ?? baseTimestamp + cursor.varlong()
        if (appendTime !== undefined) cursor.varlong()
        view.offset = baseOffset + cursor.varint()
        const keyLength = cursor.varint()
        view.keyStart = cursor.at
        view.keyEnd = keyLength < 0 ? -1 : (cursor.at += keyLength)
        const valueLength = cursor.varint()
        view.valueStart = cursor.at
        view.valueEnd = valueLength < 0 ? -1 : (cursor.at += valueLength)
        view.headersAt = cursor.at
        cursor.at = recordEnd
        if (view.offset >= this.#toOffset) return
        if (view.offset >= this.#fromOffset) yield view
      }
    }
  }

  /** Batch heads in order; the answer may end in the middle of a batch, which is left for the next fetch. */
  *#batches() {
    for (let at = 0; at + 61 <= this.#bytes.length;) {
      const end = at + 12 + this.#bytes.readInt32BE(at + 8)
      if (end > this.#bytes.length) return
      const magic = this.#bytes.readInt8(at + 16)
      if (magic !== 2) {
        throw new ChatfeedError(
          'fatal',
          'unknown_format',
          `${this.topic}-${this.partition} holds records of message format ${magic}.`,
          {
            mend: 'Use a topic written by Kafka clients of version 0.11 or newer.',
          },
        )
      }
      yield {
        at,
        end,
        baseOffset: Number(this.#bytes.readBigInt64BE(at)),
        attributes: this.#bytes.readInt16BE(at + 21),
        lastOffsetDelta: this.#bytes.readInt32BE(at + 23),
        producerId: this.#bytes.readBigInt64BE(at + 43),
      }
      at = end
    }
  }

  #verify(at: number, end: number): void {
    if (checksum(this.#bytes.subarray(at + 21, end)) === this.#bytes.readUInt32BE(at + 17)) return
    throw new ChatfeedError(
      'transient',
      'corrupt_batch',
      `A record batch of ${this.topic}-${this.partition} does not match its checksum.`,
      {
        mend: 'It will be fetched again; if this stays, the broker log is damaged.',
      },
    )
  }
}
