import avsc from 'avsc'
import { ChatfeedError } from './errors.ts'
import { fingerprintIn, headerBytes, idHeaderBytes, idIn, singleObjectHeader } from './framing.ts'

/** The schema that a value was written by, and the length of the header that says so. */
export interface WriterSchema {
  type: avsc.Type
  headerBytes: number
}

/** What is thrown over an id that is not known (yet). */
export type RefuseId = (id: number) => ChatfeedError

/**
 * The schemas that values can be written by beside our own: former ones by their fingerprint, those of a registry by
 * their id. What was learnt stays: an id means the same schema for ever.
 */
export class WriterSchemas {
  readonly #byFingerprint = new Map<bigint, avsc.Type>()
  /** Null for a schema that is not Avro, or not one that can be read. */
  readonly #byId = new Map<number, avsc.Type | null>()
  readonly #refuseId: RefuseId

  constructor(former: readonly string[], refuseId: RefuseId) {
    this.#refuseId = refuseId
    for (const text of former) {
      const type = avsc.Type.forSchema(JSON.parse(text) as avsc.Schema)
      this.#byFingerprint.set(singleObjectHeader(type).readBigUInt64LE(2), type)
    }
  }

  /** Remembers what a registry says of an id; null where that is no Avro schema. */
  learn(id: number, text: string | null): void {
    if (!this.#byId.has(id)) this.#byId.set(id, text === null ? null : readable(text))
  }

  /** The schema that a value names; undefined where it names none that is known here. Throws what `refuseId` answers. */
  of(bytes: Buffer): WriterSchema | undefined {
    const id = idIn(bytes)
    if (id !== undefined) {
      const type = this.#byId.get(id)
      if (type === undefined) throw this.#refuseId(id)
      return type ? { type, headerBytes: idHeaderBytes } : undefined
    }
    const fingerprint = fingerprintIn(bytes)
    const type = fingerprint === undefined ? undefined : this.#byFingerprint.get(fingerprint)
    return type && { type, headerBytes }
  }
}

/** What is said of a value in Confluent's wire format where no registry is configured. */
export function registryNeeded(id: number): ChatfeedError {
  const text = `The value names schema ${id} of a schema registry, and no registry.url is configured.`
  return new ChatfeedError('message', 'registry_needed', text, {
    mend: 'Set registry.url to the registry that the writer of this topic uses.',
  })
}

/** Null for a text that says nothing to us, such as a schema that refers to others. */
function readable(text: string): avsc.Type | null {
  try {
    return avsc.Type.forSchema(JSON.parse(text) as avsc.Schema)
  } catch {
    return null
  }
}
