import type { Codec } from '../avro.ts'
import { messageId, type RawMessage } from '../model.ts'
import type { RawRecord } from '../providers/provider.ts'

/** What all records of a unit have in common. */
export interface UnitOrigin {
  provider: string
  source: string
  tenant: string
  unit: string
  /** Epoch ms. */
  fetchedAt: number
}

const fingerprintBytes = 16
/** All that stands behind the origin, and the lengths before it, as long as they can get. */
const tailBytes = fingerprintBytes + 64

/**
 * Writes the value of a raw record, all but the payload at its end, into memory of its own: byte for byte what
 * the codec gives. What the records of a unit have in common is encoded once, what stands where it stood in
 * the record before is not written again, and no object is made. The key lies within, for it is the id.
 */
export class RawMessageWriter {
  /** What was written last; valid until the next `write`. */
  head = Buffer.allocUnsafeSlow(4_096)
  headEnd = 0
  keyAt = 0
  keyEnd = 0
  /** How every raw record begins: the header of its schema, then revision 0. */
  readonly #headerAndRevision: Buffer
  readonly #idPrefix: Buffer
  /** The fields between id and origin. */
  readonly #names: Buffer
  readonly #originPrefix: Buffer
  readonly #fetchedAt: number
  #idBytes = -1
  #originBytes = -1
  /** Behind the origin. */
  #tailAt = 0

  constructor(codec: Codec<RawMessage>, { provider, source, tenant, unit, fetchedAt }: UnitOrigin) {
    this.#headerAndRevision = Buffer.concat([codec.header, Buffer.from([0])])
    this.#idPrefix = Buffer.from(messageId(provider, tenant, ''))
    this.#names = namesIn(codec, { provider, source, tenant })
    this.#originPrefix = Buffer.from(`${unit}#`)
    this.#fetchedAt = fetchedAt
  }

  write(record: RawRecord): void {
    const position = String(record.position)
    const id = record.messageId ?? `${this.#originPrefix.toString()}${position}`
    this.#layOut(this.#idPrefix.length + byteLength(id), this.#originPrefix.length + byteLength(position))
    const { head } = this
    writeText(head, id, this.keyAt + this.#idPrefix.length)
    let at = this.#tailAt
    writeText(head, position, at - this.#originBytes + this.#originPrefix.length)
    for (let index = 0; index < fingerprintBytes; index++) head[at++] = record.fingerprint[index]!
    head[at++] = record.sentAt === null ? 0 : 2 // the branch of the union
    if (record.sentAt !== null) at = writeLong(head, record.sentAt, at)
    at = writeLong(head, this.#fetchedAt, at)
    this.headEnd = writeLong(head, record.payload.length, at)
  }

  /** Writes what does not change from record to record while id and origin keep their lengths. */
  #layOut(idBytes: number, originBytes: number): void {
    if (idBytes === this.#idBytes && originBytes === this.#originBytes) return
    const most = this.#headerAndRevision.length + idBytes + this.#names.length + originBytes + tailBytes
    if (most > this.head.length) this.head = Buffer.allocUnsafeSlow(2 * most)
    const { head } = this
    let at = this.#headerAndRevision.copy(head)
    at = this.keyAt = writeLong(head, idBytes, at)
    this.#idPrefix.copy(head, at)
    at = this.keyEnd = at + idBytes
    at += this.#names.copy(head, at)
    at = writeLong(head, originBytes, at)
    this.#originPrefix.copy(head, at)
    this.#tailAt = at + originBytes
    this.#idBytes = idBytes
    this.#originBytes = originBytes
  }
}

function byteLength(text: string): number {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return Buffer.byteLength(text)
  return text.length
}

function writeText(to: Buffer, text: string, at: number): void {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) {
      to.write(text.slice(index), at)
      return
    }
    to[at++] = code
  }
}

/** A zigzag varint of a whole number within 2^53; the position behind it. */
function writeLong(to: Buffer, value: number, at: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  while (rest > 0x7fff_ffff) {
    to[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  for (; rest > 0x7f; rest >>>= 7) to[at++] = (rest & 0x7f) | 0x80
  to[at++] = rest
  return at
}

const anyRecord = {
  revision: 0,
  id: '',
  origin: '',
  fingerprint: Buffer.alloc(fingerprintBytes),
  sentAt: null,
  fetchedAt: 0,
  payload: Buffer.alloc(0),
}
/** The fields behind the names of a record without texts. */
const emptyTail = 1 + fingerprintBytes + 1 + 1 + 1

function namesIn(
  codec: Codec<RawMessage>,
  names: Pick<UnitOrigin, 'provider' | 'source' | 'tenant'>,
): Buffer {
  const value = codec.encode({ ...anyRecord, ...names })
  return Buffer.from(value.subarray(codec.header.length + 2, -emptyTail))
}
