import { headerBytes, rawMessageCodec } from '../avro.ts'
import { ChatfeedError } from '../errors.ts'
import type { RecordView } from '../kafka/record-set.ts'
import type { RawMessage } from '../model.ts'
import { Content } from './seen-messages.ts'

const { header } = rawMessageCodec
const fingerprintBytes = 16
/** Longer numbers are left to the decoder. These fit into a double, and no time of ours is longer. */
const longestVarint = 7

/**
 * What dedup needs of a RawMessage, read in place: no string, no object, no copy. Whatever is unusual in any way is
 * left to the decoder, which decides alone what it is; what is read in place the decoder would read just so.
 */
export class DedupRecord {
  readonly content = new Content()
  fetchedAt = 0
  revision = 0
  /** Where in the record's buffer the revision ends, which follows the header. */
  revisionEnd = 0

  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  /** Reads the value of a record. Returns the error of the decoder where it is no RawMessage. */
  read(record: RecordView): ChatfeedError | undefined {
    if (record.valueEnd >= 0 && this.#readInPlace(record)) return undefined
    const message = decodeRecord(record)
    if (message instanceof ChatfeedError) return message
    const id = Buffer.from(message.id)
    this.content.of(id, 0, id.length, message.fingerprint, 0)
    this.fetchedAt = message.fetchedAt
    this.revision = message.revision
    this.revisionEnd = record.valueStart + headerBytes
    while (record.buffer[this.revisionEnd++]! > 0x7f);
    return undefined
  }

  #readInPlace({ buffer, valueStart, valueEnd }: RecordView): boolean {
    if (valueEnd - valueStart < headerBytes + fingerprintBytes) return false
    for (let at = 0; at < headerBytes; at++) if (buffer[valueStart + at] !== header[at]) return false
    this.#bytes = buffer
    this.#at = valueStart + headerBytes
    this.#end = valueEnd
    this.revision = this.#varint()
    if (!(this.revision >= 0 && this.revision < 2 ** 31)) return false
    this.revisionEnd = this.#at
    const idLength = this.#varint()
    if (!this.#skip(idLength)) return false
    const idEnd = this.#at
    // provider, source, tenant and origin
    for (let field = 0; field < 4; field++) if (!this.#skip(this.#varint())) return false
    const fingerprintAt = this.#at
    if (!this.#skip(fingerprintBytes)) return false
    const branch = this.#varint() // of sentAt: null or a time
    if (branch !== 0 && !(branch === 1 && !Number.isNaN(this.#varint()))) return false
    this.fetchedAt = this.#varint()
    if (Number.isNaN(this.fetchedAt) || !this.#skip(this.#varint()) || this.#at !== valueEnd) return false
    // Bytes that are no UTF-8 become other characters in the decoder, so that two ids can become one.
    return this.content.of(buffer, idEnd - idLength, idEnd, buffer, fingerprintAt)
  }

  #skip(length: number): boolean {
    if (!(length >= 0 && length <= this.#end - this.#at)) return false
    this.#at += length
    return true
  }

  /** A zigzag varint; NaN where it is cut off or longer than ours are. */
  #varint(): number {
    const first = this.#bytes[this.#at]!
    if (first < 0x80 && this.#at < this.#end) {
      this.#at++
      return (first >>> 1) ^ -(first & 1)
    }
    let raw = 0
    let factor = 1
    for (let length = 0; length < longestVarint && this.#at < this.#end; length++) {
      const byte = this.#bytes[this.#at++]!
      raw += (byte & 0x7f) * factor
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
      factor *= 128
    }
    return NaN
  }
}

/** The whole message, or why the value is none. */
export function decodeRecord(record: RecordView): RawMessage | ChatfeedError {
  try {
    return rawMessageCodec.decode(record.value() ?? Buffer.alloc(0))
  } catch (error) {
    if (error instanceof ChatfeedError) return error
    throw error
  }
}
