import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import { writeMessage } from './avro-message.ts'
import { readRawMessage, writeRawMessage } from './avro-raw-message.ts'
import { AvroReader } from './avro-reader.ts'
import { AvroWriter } from './avro-writer.ts'
import { ChatfeedError } from './errors.ts'
import type { LedgerEntry, Message, RawMessage, UnreadCount } from './model.ts'

const emptyCrc = 0xc15d213aa4d7a795n

const crcTable = Array.from({ length: 256 }, (_, index) => {
  let crc = BigInt(index)
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? emptyCrc : 0n)
  return crc
})

/** CRC-64-AVRO (Avro specification, schema fingerprints). */
export function crc64(bytes: Buffer): bigint {
  let crc = emptyCrc
  for (const byte of bytes) crc = (crc >> 8n) ^ crcTable[Number((crc ^ BigInt(byte)) & 0xffn)]!
  return crc
}

/** Values of one topic to bytes and back. */
export interface Codec<T> {
  /** What every framed value begins with, `headerBytes` long. */
  readonly header: Buffer
  /** The framed value; valid until the next call, so copy or send it at once. Throws TypeError on a value that does not fit. */
  encode(value: T): Buffer
  /** Throws ChatfeedError `message` on bytes that are not such a value. */
  decode(bytes: Buffer): T
  /** As `decode`, but bytes within the value are views of those that were given. */
  view(bytes: Buffer): T
}

/**
 * What a schema says, in code: every field in its order. Quicker than the schema itself, which decides on every value
 * that does not fit.
 */
export interface SchemaInCode<T> {
  write?: (out: AvroWriter, value: T) => void
  read?: (input: AvroReader) => T
}

/** Length of the single-object header: 0xC3 0x01 and the CRC-64-AVRO fingerprint of the writer schema, little-endian. */
export const headerBytes = 10

/** The schema text as it lies in the `schemas` folder, which is also what readers of other languages use. */
export function schemaText(name: 'raw-message' | 'message' | 'ledger-entry' | 'unread-count'): string {
  return readFileSync(new URL(`../schemas/${name}.avsc`, import.meta.url), 'utf8')
}

/** A codec with Avro single-object encoding. */
export function singleObjectCodec<T>(schema: string, { write, read }: SchemaInCode<T> = {}): Codec<T> {
  const type = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema)
  const header = singleObjectHeader(type)
  const writer = new AvroWriter(header)
  const reader = new AvroReader()
  let scratch = Buffer.allocUnsafe(16 * 1024)
  header.copy(scratch)

  const decode = (bytes: Buffer): T => type.fromBuffer(bytes.subarray(headerBytes)) as T
  const view = (bytes: Buffer): T => {
    if (!read) return decode(bytes)
    reader.begin(bytes, headerBytes)
    const value = read(reader)
    return reader.fits ? value : decode(bytes)
  }
  return {
    header,
    encode(given) {
      if (write) {
        writer.begin()
        write(writer, given)
        if (writer.fits) return writer.take()
      }
      const value = wellFormed(given)
      // avsc answers how many bytes were missing as a negative number.
      let end = type.encode(value, scratch, headerBytes)
      if (end < 0) {
        scratch = Buffer.allocUnsafe((scratch.length - end) * 2)
        header.copy(scratch)
        end = type.encode(value, scratch, headerBytes)
      }
      return scratch.subarray(0, end)
    },
    decode: decoder(type, header, decode),
    view: decoder(type, header, view),
  }
}

/**
 * Decodes some fields of a value and skips the rest, payloads and texts above all. Throws as `Codec.decode` does; it
 * refuses the same values, but for a word that stands outside its enumeration in a field that is skipped.
 */
export function fieldsDecoder<T, Field extends keyof T & string>(
  schema: string,
  fields: readonly Field[],
): (bytes: Buffer) => Pick<T, Field> {
  const whole = JSON.parse(schema) as avsc.schema.RecordType
  const wanted: readonly string[] = fields
  const type = avsc.Type.forSchema(whole)
  const some = avsc.Type.forSchema({
    ...whole,
    fields: whole.fields.filter(({ name }) => wanted.includes(name)),
  })
  const resolver = some.createResolver(type)
  return decoder(
    type,
    singleObjectHeader(type),
    (bytes) => some.fromBuffer(bytes.subarray(headerBytes), resolver) as Pick<T, Field>,
  )
}

/** Checks the header, and tells in chatfeed's terms what `read` throws. */
function decoder<T>(type: avsc.Type, header: Buffer, read: (bytes: Buffer) => T): (bytes: Buffer) => T {
  return (bytes) => {
    if (!startsWith(bytes, header)) {
      throw new ChatfeedError(
        'message',
        'unknown_schema',
        `The value is not a ${type.name} that this version reads.`,
      )
    }
    try {
      return read(bytes)
    } catch (cause) {
      throw new ChatfeedError('message', 'broken_value', `The value is not a whole ${type.name}.`, { cause })
    }
  }
}

function startsWith(bytes: Buffer, header: Buffer): boolean {
  // Byte by byte: a call of `compare` costs more than so few bytes.
  for (let at = 0; at < headerBytes; at++) if (bytes[at] !== header[at]) return false
  return true
}

/**
 * The value with U+FFFD for every half of a surrogate pair that stands alone: JSON can hold one and JavaScript carries
 * it, but it has no UTF-8, and readers in other languages would stop at it. The value itself where there is none.
 */
function wellFormed<T>(value: T): T {
  if (typeof value === 'string') return (value.isWellFormed() ? value : value.toWellFormed()) as T
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (Array.isArray(value)) {
    const items = value.map(wellFormed)
    return items.every((item, index) => item === value[index]) ? value : (items as T)
  }
  let mended: T | undefined
  for (const key in value) {
    const good = wellFormed(value[key])
    if (good === value[key]) continue
    mended ??= { ...value }
    mended[key] = good
  }
  return mended ?? value
}

/** Values of `raw.*` and `unique`. */
export const rawMessageCodec = singleObjectCodec<RawMessage>(schemaText('raw-message'), {
  write: writeRawMessage,
  read: readRawMessage,
})
/** Values of `messages`. */
export const messageCodec = singleObjectCodec<Message>(schemaText('message'), { write: writeMessage })
/** Values of `ledger`. */
export const ledgerCodec = singleObjectCodec<LedgerEntry>(schemaText('ledger-entry'))
/** Values of `unread`. */
export const unreadCodec = singleObjectCodec<UnreadCount>(schemaText('unread-count'))

function singleObjectHeader(type: avsc.Type): Buffer {
  const header = Buffer.allocUnsafe(headerBytes)
  header.writeUInt16BE(0xc301, 0)
  header.writeBigUInt64LE(crc64(Buffer.from(JSON.stringify(type.schema()))), 2)
  return header
}
