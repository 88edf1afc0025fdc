/** What a provider must tell of itself to be tested by `../provider-suite.ts`. */
import type { Provider } from '../../../src/providers/provider.ts'
import type { Answer, Asked } from './wire.ts'

/** A JSON object of a record. */
export type Json = Record<string, unknown>

/** One provider by one of its interfaces, against its own sandbox at a fixed moment. */
export interface ProviderCase {
  name: string
  provider: Provider
  nowMs: number
  sandbox: { seed: number; messagesPerHour: number; [option: string]: unknown }
  /** Over the sandbox's own `sources:` entry. */
  entry: Record<string, unknown>
  /** A closed unit with some dozens of records, and one that is not closed yet, where the interface can be asked for one. */
  unit: string
  openUnit?: string
  framing: Framing
  /** Whether a row that was served twice is published twice. */
  publishes: 'every row' | 'distinct rows'
  /** Calls that change nothing although they are no GET. */
  mayPost: (path: string) => boolean
  /** A call on behalf of all readings, which ends with the source and not with one of them. */
  isShared: (path: string) => boolean
  /** Entries over the sandbox's own that no service would accept. */
  wrong: readonly Record<string, unknown>[]
  /** JSON text of a record of `unit`; `content` is the JSON text of what was said. */
  example(id: string, content: string): string
  /** The same message as another answer of the provider may hold it. */
  sameMessage: readonly ((record: Json) => Json)[]
  /** The message after the provider has changed it. */
  otherContent: readonly ((record: Json) => Json)[]
}

/** How an answer holds records. */
export interface Framing {
  /** The records, byte for byte; null where an answer holds none by its nature. */
  recordsOf(asked: Asked, answer: Answer): Buffer[] | null
  /** The answer with other records instead. */
  withRecords(answer: Answer, records: readonly Buffer[]): Answer
  /** Any record that this framing can carry beside others is one that satisfies this. */
  canCarry: (record: Buffer) => boolean
}
