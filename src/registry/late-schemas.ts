import { ChatfeedError, explain } from '../errors.ts'
import type { Registry } from './registry.ts'

/** A registry that copies another may be behind it: an id counts as unknown when it was not there for so long. */
const confirmMs = 15_000
/** Between two questions after one id: while it is waited for, and once it is known not to be there. */
const againMs = 200
const absentAgainMs = 60_000

interface Asked {
  /** Infinity while it is being asked for. */
  notBeforeMs: number
  /** Why the last attempt brought nothing. */
  trouble: string | null
  /** Since when the registry has said that there is no such id. */
  absentSinceMs: number | null
  absent: boolean
}

/**
 * Asks for schemas that were registered after the start, when a value names them: in the background, while whoever met
 * the value begins anew.
 */
export class LateSchemas {
  readonly #registry: Pick<Registry, 'schema'>
  readonly #learn: (id: number, text: string | null) => void
  readonly #now: () => number
  readonly #asked = new Map<number, Asked>()
  readonly #closing = new AbortController()

  /** `learn` is told what an id stands for; null for no Avro schema. */
  constructor(
    registry: Pick<Registry, 'schema'>,
    learn: (id: number, text: string | null) => void,
    now: () => number = Date.now,
  ) {
    this.#registry = registry
    this.#learn = learn
    this.#now = now
  }

  /** What is to be thrown over a value whose schema is not known: `transient` until the registry has answered. */
  refuse(id: number): ChatfeedError {
    const asked = this.#asked.get(id) ?? { notBeforeMs: 0, trouble: null, absentSinceMs: null, absent: false }
    this.#asked.set(id, asked)
    if (this.#now() >= asked.notBeforeMs) void this.#ask(id, asked)
    if (asked.absent) {
      const text = `The value names schema ${id}, which the registry does not know.`
      return new ChatfeedError('message', 'unknown_schema', text)
    }
    const reason = asked.trouble === null ? 'it is being asked for' : asked.trouble
    return schemaWanted(id, reason)
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.abort()
  }

  async #ask(id: number, asked: Asked): Promise<void> {
    asked.notBeforeMs = Infinity
    try {
      const text = await this.#registry.schema(id, this.#closing.signal)
      if (text !== undefined) {
        this.#learn(id, text)
        this.#asked.delete(id)
        return
      }
      asked.absentSinceMs ??= this.#now()
      asked.absent = this.#now() - asked.absentSinceMs >= confirmMs
      asked.trouble = 'the registry does not know it'
    } catch (error) {
      asked.trouble = explain(error)
    } finally {
      asked.notBeforeMs = this.#now() + (asked.absent ? absentAgainMs : againMs)
    }
  }
}

/** A value names a schema that is not known yet. */
export function schemaWanted(id: number, reason: string): ChatfeedError {
  return new ChatfeedError('transient', 'schema_wanted', `A value was written by schema ${id}: ${reason}.`)
}
