import { checksum, compress, writtenCodec } from './codec.ts'
import type { RecordView } from './record-set.ts'

/**
 * Writing record batches (format v2, KIP-98): records go straight into one growing buffer, with no object a
 * record, and are compressed once. kafkajs' own encoder costs 7–10 µs a record and copies O(n²).
 */

/** A header of a record. */
export interface RecordHeader {
  key: string
  value: Buffer
}

/** The first part of a value, from the start of `head` to `headEnd`, and where in it the key lies. */
export interface ValueHead {
  readonly head: Buffer
  readonly headEnd: number
  readonly keyAt: number
  readonly keyEnd: number
}

/** A finished batch, not yet bound to a producer: the same bytes are sent again on a retry. */
export interface SealedBatch {
  readonly records: number
  readonly timestampMs: number
  /** Compressed records. */
  readonly body: Buffer
}

/** Who writes a batch: what the broker needs to recognise a repeated send and to fence an old producer. */
export interface BatchOwner {
  producerId: bigint
  producerEpoch: number
  baseSequence: number
  transactional: boolean
}

const headSize = 61
const noHeaders: readonly RecordHeader[] = []

/** Bytes of an unsigned varint of a zigzag-encoded non-negative number. */
function varintSize(value: number): number {
  const zigzag = value * 2
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x20_0000) return 3
  if (zigzag < 0x1000_0000) return 4
  return 5
}

/** Collects records of one partition. */
export class RecordBatchWriter {
  #buffer: Buffer
  #length = 0
  #records = 0

  constructor(initialBytes = 64 * 1024) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
  }

  get records(): number {
    return this.#records
  }

  /** Uncompressed size. */
  get bytes(): number {
    return this.#length
  }

  /** Whether key and value of so many bytes keep the batch within `limitBytes`; the first record always may come. */
  hasRoomFor(recordBytes: number, limitBytes: number): boolean {
    return this.#records === 0 || this.#length + recordBytes <= limitBytes
  }

  /** Adds a record; key and value are copied. */
  append(key: Buffer | null, value: Buffer | null, headers: readonly RecordHeader[] = noHeaders): void {
    const keyBytes = key ? varintSize(key.length) + key.length : 1
    const valueBytes = value ? varintSize(value.length) + value.length : 1
    this.#begin(keyBytes + valueBytes, headers)
    this.#bytes(key)
    this.#bytes(value)
    this.#headers(headers)
  }

  /**
   * Adds key and value of a record that was read, copied in one go, with one byte of its buffer changed. The record
   * must have both.
   */
  appendChanged(
    record: RecordView,
    changedAt: number,
    byte: number,
    headers: readonly RecordHeader[] = noHeaders,
  ): void {
    const { buffer, keyStart, keyEnd, valueEnd } = record
    const keyLength = keyEnd - keyStart
    const copied = valueEnd - keyStart // with the length of the value between
    this.#begin(varintSize(keyLength) + copied, headers)
    this.#varint(keyLength)
    buffer.copy(this.#buffer, this.#length, keyStart, valueEnd)
    this.#buffer[this.#length + changedAt - keyStart] = byte
    this.#length += copied
    this.#headers(headers)
  }

  /** Adds a record without headers whose value is `head` and `rest`; both are copied. */
  appendParts({ head, headEnd, keyAt, keyEnd }: ValueHead, rest: Buffer): void {
    const keyLength = keyEnd - keyAt
    const valueLength = headEnd + rest.length
    this.#begin(varintSize(keyLength) + keyLength + varintSize(valueLength) + valueLength, noHeaders)
    this.#varint(keyLength)
    this.#copy(head, keyAt, keyEnd)
    this.#varint(valueLength)
    this.#copy(head, 0, headEnd)
    this.#buffer.set(rest, this.#length)
    this.#length += rest.length
    this.#headers(noHeaders)
  }

  /** Compresses what was collected and starts anew. Must hold at least one record. */
  seal(timestampMs = Date.now()): SealedBatch {
    const sealed = {
      records: this.#records,
      timestampMs,
      body: compress(this.#buffer.subarray(0, this.#length)),
    }
    this.#length = 0
    this.#records = 0
    return sealed
  }

  /** Size, attributes, timestamp delta 0 and offset delta of a record. */
  #begin(keyAndValueBytes: number, headers: readonly RecordHeader[]): void {
    let headerBytes = varintSize(headers.length)
    for (const header of headers) {
      const name = Buffer.byteLength(header.key)
      headerBytes += varintSize(name) + name + varintSize(header.value.length) + header.value.length
    }
    const size = 2 + varintSize(this.#records) + keyAndValueBytes + headerBytes
    this.#reserve(size + 5)
    this.#varint(size)
    this.#buffer[this.#length++] = 0
    this.#buffer[this.#length++] = 0
    this.#varint(this.#records++)
  }

  #headers(headers: readonly RecordHeader[]): void {
    this.#varint(headers.length)
    for (const header of headers) {
      this.#varint(Buffer.byteLength(header.key))
      this.#length += this.#buffer.write(header.key, this.#length)
      this.#bytes(header.value)
    }
  }

  #bytes(bytes: Buffer | null): void {
    if (!bytes) {
      this.#buffer[this.#length++] = 1 // zigzag(-1)
      return
    }
    this.#varint(bytes.length)
    this.#length += bytes.copy(this.#buffer, this.#length)
  }

  /** Few bytes are copied sooner one by one than by a call. */
  #copy(bytes: Buffer, at: number, end: number): void {
    const buffer = this.#buffer
    let length = this.#length
    while (at < end) buffer[length++] = bytes[at++]!
    this.#length = length
  }

  #varint(value: number): void {
    let rest = value * 2
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#length++] = rest
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}

/** What stands before the body of a batch on the wire. */
export function batchHead({ records, timestampMs, body }: SealedBatch, owner: BatchOwner): Buffer {
  const bytes = Buffer.allocUnsafe(headSize)
  bytes.writeBigInt64BE(0n, 0) // base offset: set by the broker
  bytes.writeInt32BE(headSize + body.length - 12, 8)
  bytes.writeInt32BE(-1, 12) // partition leader epoch: set by the broker
  bytes.writeInt8(2, 16)
  bytes.writeInt16BE(writtenCodec | (owner.transactional ? 0x10 : 0), 21)
  bytes.writeInt32BE(records - 1, 23)
  bytes.writeBigInt64BE(BigInt(timestampMs), 27)
  bytes.writeBigInt64BE(BigInt(timestampMs), 35)
  bytes.writeBigInt64BE(owner.producerId, 43)
  bytes.writeInt16BE(owner.producerEpoch, 51)
  bytes.writeInt32BE(owner.baseSequence, 53)
  bytes.writeInt32BE(records, 57)
  bytes.writeUInt32BE(checksum(body, checksum(bytes.subarray(21))), 17)
  return bytes
}

/** The batch as it goes over the wire, under its owner's name. */
export function encodeBatch(batch: SealedBatch, owner: BatchOwner): Buffer {
  return Buffer.concat([batchHead(batch, owner), batch.body])
}
