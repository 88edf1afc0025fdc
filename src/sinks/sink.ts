import type { CodecParts } from '../codecs.ts'
import type { ChatfeedError } from '../errors.ts'
import type { StoredPlace } from '../kafka/place.ts'
import type { Turn } from '../kafka/reader.ts'
import type { RecordSet } from '../kafka/record-set.ts'
import type { Logger } from '../log.ts'
import type { Message } from '../model.ts'
import type { MessageReader, PlacedMessageReader } from './messages.ts'

/** What a sink is opened with. */
export interface SinkContext {
  log: Logger
  /** The cluster and topic that the records come from: positions of another stream do not count. */
  stream: string
  /** Reads the messages of a set, without those that the sink's `where` leaves out. */
  messagesOf: MessageReader
  /** What a thread of the sink's own needs to read messages, with all that is known of their schemas now. */
  codecParts: () => CodecParts
  /** The same with their records. */
  placedMessagesOf: PlacedMessageReader
  refuse: Refuse
  /** For what a sink keeps on this machine beside its store. */
  dataDir: string
}

/**
 * Puts a message that the store will never take into `dead`, so that the others can go on. Resolves when it lies there;
 * only then may the sink store the set without it. Throws ChatfeedError `transient` when Kafka does not take it.
 */
export type Refuse = (
  records: RecordSet,
  message: Pick<Message, 'id' | 'revision'>,
  error: ChatfeedError,
) => Promise<void>

/**
 * A store that messages are carried into. One consumer group per sink; the reader of a partition is the
 * only caller for that partition, but after a crash or a rebalance the same batch may come again, and an
 * old reader may still write for a moment: `write` must not care.
 */
export interface Sink {
  readonly name: string
  readonly type: string
  /**
   * The offset to read next for a partition of the stream that the sink was opened for, as stored with the data;
   * null when nothing of that stream is stored yet. Offsets of another cluster or topic mean nothing here. `group`, always,
   * from a store that can keep no offsets: the committed offsets of the sink's consumer group are its place.
   */
  position(partition: number): Promise<StoredPlace>
  /**
   * Stores the messages of these records (`SinkContext.messagesOf`) and `records.nextOffset`, in one step where the
   * store has transactions, otherwise in this order. The highest revision of
   * an id stays; the same batch twice leaves the same rows. Throws ChatfeedError `transient` when the store is not there
   * (offsets do not move and the batch comes again; `store_gone` asks for the sink to be opened anew before), `fatal`
   * when trying again cannot help. Resolves to when each of the messages
   * stored was fetched, epoch ms. A write that can take long minds its `turn`.
   */
  write(records: RecordSet, turn?: Turn): Promise<readonly number[]>
  /**
   * Present in a sink that gathers: there `write` may only take the records, and answers for what it stored by the way,
   * of this call or earlier ones. This stores now what was gathered of a partition, and answers for it. Throws as
   * `write` does. After an error of either, what was gathered is gone: the records come again from `position`.
   */
  flush?(partition: number): Promise<readonly number[]>
  /** Beside `flush`: the offset up to which all is stored, as far as this sink knows without asking the store. */
  storedTo?(partition: number): number | null
  /** Messages stored now; null where that cannot be told. */
  rows(): Promise<number | null>
  close(): Promise<void>
}

/** Asks a store what it holds, past the sink and without changing anything. */
export interface RevisionReader {
  /** The revision of every id that is there. */
  of(ids: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Messages that are there, of whatever stream. */
  rows(): Promise<number>
  close(): Promise<void>
}
