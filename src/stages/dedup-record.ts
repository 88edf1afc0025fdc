import type { Codec } from '../avro.ts'
import { ChatfeedError } from '../errors.ts'
import type { RecordView } from '../kafka/record-set.ts'
import type { RawMessage } from '../model.ts'
import { Content } from './seen-messages.ts'

const fingerprintBytes = 16
/** Longer numbers are left to the decoder. These fit into a double, and no time of ours is longer. */
const longestVarint = 7

/**
 * What dedup needs of a RawMessage, read in place: no string, no object, no copy. Whatever is unusual in any way is
 * left to the decoder, which decides alone what it is; what is read in place the decoder would read just so.
 */
export class DedupRecord {
  readonly content = new Content()
  readonly #codec: Codec<RawMessage>
  fetchedAt = 0
  revision = 0
  /** The whole message, where its writer had another schema than ours: its bytes must not stand behind our header. */
  foreign: RawMessage | undefined
  /** Where in the record's buffer the fields begin, the revision first, and where it ends; -1 both for a foreign one. */
  revisionAt = 0
  revisionEnd = 0

  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  constructor(codec: Codec<RawMessage>) {
    this.#codec = codec
  }

  /** Reads the value of a record. Returns the error of the decoder where it is no RawMessage; throws as `decodeRecord`. */
  read(record: RecordView): ChatfeedError | undefined {
    this.foreign = undefined
    if (record.valueEnd >= 0 && this.#readInPlace(record)) return undefined
    const message = decodeRecord(this.#codec, record)
    if (message instanceof ChatfeedError) return message
    const id = Buffer.from(message.id)
    this.content.of(id, 0, id.length, message.fingerprint, 0)
    this.fetchedAt = message.fetchedAt
    this.revision = message.revision
    this.revisionAt = this.#codec.bodyAt(record.buffer, record.valueStart)
    this.revisionEnd = this.revisionAt
    if (this.revisionAt < 0) this.foreign = message
    else while (record.buffer[this.revisionEnd++]! > 0x7f);
    return undefined
  }

  #readInPlace({ buffer, valueStart, valueEnd }: RecordView): boolean {
    const bodyAt = this.#codec.bodyAt(buffer, valueStart)
    if (bodyAt < 0 || valueEnd - bodyAt < fingerprintBytes) return false
    this.#bytes = buffer
    this.#at = this.revisionAt = bodyAt
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

/** The whole message, or why the value is none. Throws ChatfeedError `transient` as the codec does. */
export function decodeRecord(codec: Codec<RawMessage>, record: RecordView): RawMessage | ChatfeedError {
  try {
    return codec.decode(record.value() ?? Buffer.alloc(0))
  } catch (error) {
    if (error instanceof ChatfeedError && error.remedy === 'message') return error
    throw error
  }
}
