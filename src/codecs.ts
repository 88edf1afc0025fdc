import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { avroCodec, type Codec, type SchemaInCode, type SchemaName, schemaText } from './avro.ts'
import { writeMessage } from './avro-message.ts'
import { readRawMessage, writeRawMessage } from './avro-raw-message.ts'
import { idHeader } from './framing.ts'
import type { LedgerEntry, Message, RawMessage, UnreadCount } from './model.ts'
import { type RefuseId, registryNeeded, WriterSchemas } from './writer-schemas.ts'

/** What codecs are made of, in plain values that another thread can be given. */
export interface CodecParts {
  /** The registry's id of each of our schemas, by which values are framed; null for single-object encoding. */
  ids: Readonly<Record<SchemaName, number>> | null
  /** Texts of former schemas, which single-object encoding names by their fingerprints. */
  former: readonly string[]
  /** What the registry has told of ids; null for what is no Avro schema. */
  known: readonly (readonly [id: number, text: string | null])[]
}

/** How every kind of value is written and read. One for a process, and one for each thread that reads values. */
export class Codecs {
  /** Values of `raw.*` and `unique`, and the envelopes of dead letters. */
  readonly rawMessage: Codec<RawMessage>
  /** Values of `messages`. */
  readonly message: Codec<Message>
  /** Values of `ledger`. */
  readonly ledgerEntry: Codec<LedgerEntry>
  /** Values of `unread`. */
  readonly unreadCount: Codec<UnreadCount>
  readonly #writers: WriterSchemas
  readonly #parts: CodecParts
  readonly #learnt = new Map<number, string | null>()

  /** `refuseId` answers what is to be thrown over a value whose schema id is not known yet. */
  constructor(parts: CodecParts = plainParts(), refuseId: RefuseId = registryNeeded) {
    this.#parts = parts
    this.#writers = new WriterSchemas(parts.former, refuseId)
    for (const [id, text] of parts.known) this.learn(id, text)
    const codec = <T>(name: SchemaName, inCode?: SchemaInCode<T>): Codec<T> =>
      avroCodec(
        schemaText(name),
        { writers: this.#writers, ...(parts.ids && { header: idHeader(parts.ids[name]) }) },
        inCode,
      )
    this.rawMessage = codec('raw-message', { write: writeRawMessage, read: readRawMessage })
    this.message = codec('message', { write: writeMessage })
    this.ledgerEntry = codec('ledger-entry')
    this.unreadCount = codec('unread-count')
  }

  /** Remembers the schema of an id for ever; null where it is no Avro schema. */
  learn(id: number, text: string | null): void {
    this.#learnt.set(id, text)
    this.#writers.learn(id, text)
  }

  /** What the same codecs are made of again, with all that was learnt. */
  parts(): CodecParts {
    return { ...this.#parts, known: [...this.#learnt] }
  }
}

/** Codecs with Avro single-object encoding, as they are without a registry. */
export function plainParts(): CodecParts {
  return { ids: null, former: formerSchemas(), known: [] }
}

/** The texts in `schemas/former`. */
export function formerSchemas(): string[] {
  const folder = new URL('../schemas/former/', import.meta.url)
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((name) => name.endsWith('.avsc'))
  return files.map((name) => readFileSync(new URL(name, folder), 'utf8'))
}
