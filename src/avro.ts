import { readFileSync } from 'node:fs'
import avsc from 'avsc'
import { AvroReader } from './avro-reader.ts'
import { AvroWriter } from './avro-writer.ts'
import { ChatfeedError } from './errors.ts'
import { canonicalText, singleObjectHeader } from './framing.ts'
import type { WriterSchemas } from './writer-schemas.ts'

/** Values of one topic to bytes and back. */
export interface Codec<T> {
  /** What every value that it writes begins with. */
  readonly header: Buffer
  /**
   * Where the fields begin in a value that starts at `start`, if its writer had our very schema, in whichever framing;
   * -1 otherwise. It is for the caller to know where the value ends.
   */
  bodyAt(bytes: Buffer, start: number): number
  /** The framed value; valid until the next call, so copy or send it at once. Throws TypeError on a value that does not fit. */
  encode(value: T): Buffer
  /**
   * A value of whichever framing and writer, resolved to our schema. Throws ChatfeedError: `message` on bytes that are
   * not such a value, `transient` while the schema that they name is being asked for.
   */
  decode(bytes: Buffer): T
  /** As `decode`, but bytes within the value may be views of those that were given. */
  view(bytes: Buffer): T
  /**
   * Decodes some fields of a value and skips the rest, payloads and texts above all. Throws as `decode` does; it
   * refuses the same values, but for a word that stands outside its enumeration in a field that is skipped.
   */
  fields<Field extends keyof T & string>(names: readonly Field[]): (bytes: Buffer) => Pick<T, Field>
}

/**
 * What a schema says, in code: every field in its order. Quicker than the schema itself, which decides on every value
 * that does not fit.
 */
export interface SchemaInCode<T> {
  write?: (out: AvroWriter, value: T) => void
  read?: (input: AvroReader) => T
}

/** How values are framed that a codec writes, and whose values it reads beside its own. */
export interface Framing {
  writers: WriterSchemas
  /** That of the single-object encoding by default. */
  header?: Buffer
}

/** The schemas in the `schemas` folder, one named type a file. */
export type SchemaName = 'raw-message' | 'message' | 'ledger-entry' | 'unread-count'

/** The schema text as it lies in the `schemas` folder, which is also what readers of other languages use. */
export function schemaText(name: SchemaName): string {
  return readFileSync(new URL(`../schemas/${name}.avsc`, import.meta.url), 'utf8')
}

/**
 * A codec that writes by `schema`. A value of that very schema is known by its header and read as it lies there; any
 * other is read by the schema of its writer, which takes longer.
 */
export function avroCodec<T>(
  schema: string,
  framing: Framing,
  { write, read }: SchemaInCode<T> = {},
): Codec<T> {
  const whole = JSON.parse(schema) as avsc.schema.RecordType
  const type = avsc.Type.forSchema(whole)
  const singleObject = singleObjectHeader(type)
  const { writers, header = singleObject } = framing
  /** Further headers that stand for our schema. */
  const others = header.equals(singleObject) ? [] : [singleObject]
  const writer = new AvroWriter(header)
  const reader = new AvroReader()
  let scratch = Buffer.allocUnsafe(16 * 1024)
  header.copy(scratch)

  const bodyAt = (bytes: Buffer, start: number): number => {
    if (startsWith(bytes, start, header)) return start + header.length
    for (const other of others) if (startsWith(bytes, start, other)) return start + other.length
    return -1
  }
  const unknown = () =>
    new ChatfeedError('message', 'unknown_schema', `The value is not a ${type.name} that this version reads.`)

  /** Reads our own values by `own`, and those of other writers into the fields of `into`. */
  const reading = <R>(into: avsc.Type, own: (bytes: Buffer, at: number) => R) => {
    const resolvers = new Map<avsc.Type, Resolver | null>()
    const byWriter = (bytes: Buffer): R => {
      const found = writers.of(bytes)
      if (!found) throw unknown()
      let resolver = resolvers.get(found.type)
      if (resolver === undefined) {
        resolver = resolverOf(into, found.type)
        resolvers.set(found.type, resolver)
        if (canonicalText(found.type) === canonicalText(type))
          others.push(Buffer.from(bytes.subarray(0, found.headerBytes)))
      }
      if (!resolver) throw unknown()
      return into.fromBuffer(bytes.subarray(found.headerBytes), resolver) as R
    }
    return (bytes: Buffer): R => {
      const at = bodyAt(bytes, 0)
      try {
        return at < 0 ? byWriter(bytes) : own(bytes, at)
      } catch (cause) {
        if (cause instanceof ChatfeedError) throw cause
        throw new ChatfeedError('message', 'broken_value', `The value is not a whole ${type.name}.`, {
          cause,
        })
      }
    }
  }
  const decode = (bytes: Buffer, at: number): T => type.fromBuffer(bytes.subarray(at)) as T
  const view = (bytes: Buffer, at: number): T => {
    if (!read) return decode(bytes, at)
    reader.begin(bytes, at)
    const value = read(reader)
    return reader.fits ? value : decode(bytes, at)
  }
  return {
    header,
    bodyAt,
    encode(given) {
      if (write) {
        writer.begin()
        write(writer, given)
        if (writer.fits) return writer.take()
      }
      const value = wellFormed(given)
      // avsc answers how many bytes were missing as a negative number.
      let end = type.encode(value, scratch, header.length)
      if (end < 0) {
        scratch = Buffer.allocUnsafe((scratch.length - end) * 2)
        header.copy(scratch)
        end = type.encode(value, scratch, header.length)
      }
      return scratch.subarray(0, end)
    },
    decode: reading(type, decode),
    view: reading(type, view),
    fields(names) {
      const wanted: readonly string[] = names
      const fields = whole.fields.filter(({ name }) => wanted.includes(name))
      const some = avsc.Type.forSchema({ ...whole, fields })
      const resolver = some.createResolver(type)
      return reading(some, (bytes, at) => some.fromBuffer(bytes.subarray(at), resolver) as never)
    },
  }
}

type Resolver = ReturnType<avsc.Type['createResolver']>

/** How values of `writer` become such of `reader`; null where they cannot. */
function resolverOf(reader: avsc.Type, writer: avsc.Type): Resolver | null {
  try {
    return reader.createResolver(writer)
  } catch {
    return null
  }
}

function startsWith(bytes: Buffer, start: number, header: Buffer): boolean {
  // Byte by byte: a call of `compare` costs more than so few bytes.
  for (let at = 0; at < header.length; at++) if (bytes[start + at] !== header[at]) return false
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
