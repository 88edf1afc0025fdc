import type { CodecParts } from '../../codecs.ts'
import type { RecordSetParts } from '../../kafka/record-set.ts'
import type { Thrown } from '../../thrown.ts'
import type { Where } from '../where.ts'
import type { StoreOptions } from './store.ts'

/** How a thread reads messages, and which of them it stores; all without `where`. */
export interface Reading {
  codecs: CodecParts
  where?: Where
}

/** What the thread of a store is started with. */
export interface ThreadData {
  options: StoreOptions
  reading: Reading
  /** Of its brake. */
  cells: Int32Array<SharedArrayBuffer>
}

/** What the thread of a store can be asked. */
export type Question =
  | { what: 'position'; partition: number }
  | { what: 'write'; records: RecordSetParts }
  | { what: 'rows' }
  | { what: 'learn'; known: CodecParts['known'] }
  | { what: 'close' }

/** What each question comes to, as `Sink` promises it. */
export interface Results {
  position: number | null
  write: readonly number[]
  rows: number
  learn: undefined
  close: undefined
}

/** A question under its number, by which it is answered. */
export interface Call {
  id: number
  question: Question
}

/** The answer to a call. */
export type Answer = { id: number; result: Results[keyof Results] } | { id: number; thrown: Thrown }

/** The number of the answer that a thread gives unasked: whether its store is open. */
export const opening = 0
