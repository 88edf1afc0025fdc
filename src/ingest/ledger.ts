import type { Codecs } from '../codecs.ts'
import { ChatfeedError, isTransient } from '../errors.ts'
import type { Connection } from '../kafka/connection.ts'
import { partitionOf } from '../kafka/partitioner.ts'
import { readRange } from '../kafka/range.ts'
import { RecordBatchWriter } from '../kafka/record-batch.ts'
import { TransactionalWriter } from '../kafka/transaction.ts'
import type { LedgerEntry } from '../model.ts'
import { ownValue } from '../own-record.ts'

/** The key of an entry: `source|unit`. */
export const ledgerKey = (entry: Pick<LedgerEntry, 'source' | 'unit'>): Buffer =>
  Buffer.from(`${entry.source}|${entry.unit}`)

/** The partition of the ledger topic in which a source lives, with all its entries. */
export const ledgerPartition = (source: string, partitions: number): number =>
  partitionOf(Buffer.from(source), partitions)

/** The newest entry of every unit, by source and unit name. */
export type LedgerView = Map<string, Map<string, LedgerEntry>>

/** One partition of the ledger topic, read piece by piece. */
export class LedgerReader {
  readonly #connection: Connection
  readonly #codecs: Codecs
  readonly #topic: string
  readonly #partition: number
  #from: number | undefined

  constructor(connection: Connection, codecs: Codecs, topic: string, partition: number) {
    this.#connection = connection
    this.#codecs = codecs
    this.#topic = topic
    this.#partition = partition
  }

  /**
   * The entries committed since the last call, all of them at first; cut short when `signal` aborts. Throws ChatfeedError
   * `fatal` (`foreign_record`) on what is no entry: left out, it could be a newer version's and its unit read twice.
   */
  async *entries(signal?: AbortSignal): AsyncGenerator<LedgerEntry> {
    const range = {
      ...(this.#from !== undefined && { from: this.#from }),
      ...(signal && { signal }),
    }
    for await (const records of readRange(this.#connection, this.#topic, this.#partition, range)) {
      for (const record of records) {
        const entry = ownValue(this.#codecs.ledgerEntry, 'ledger entry', record, records)
        if (entry) yield entry
      }
      this.#from = records.nextOffset
    }
  }
}

/** Reads one partition of the ledger topic into `view`. Throws as `LedgerReader.entries`. */
export async function readLedger(
  connection: Connection,
  codecs: Codecs,
  topic: string,
  partition: number,
  view: LedgerView,
  signal?: AbortSignal,
): Promise<void> {
  const reader = new LedgerReader(connection, codecs, topic, partition)
  for await (const entry of reader.entries(signal)) remember(view, entry)
}

/** How long the entries of others may go unseen. */
const unseenMs = 2_000

/**
 * The ledger of the sources that live in one partition of the ledger topic. Its writer is transactional, so a
 * process that lost the partition cannot overwrite what its successor knows. Of two entries of a unit the later one in
 * the topic holds, whoever wrote it, here as for every other reader.
 */
export class Ledger {
  readonly #writer: TransactionalWriter
  readonly #codecs: Codecs
  readonly #topic: string
  readonly #partition: number
  readonly #reader: LedgerReader
  readonly #view: LedgerView = new Map()
  /** The newest value that was written here and not yet read back, by key: what is read of the unit until then is older. */
  readonly #ahead = new Map<string, Buffer>()
  /** One step after the other: nothing is read while a write is under way. */
  #step: Promise<unknown> = Promise.resolve()
  #catchingUp: Promise<unknown> | undefined
  #caughtUpAt = 0

  private constructor(
    writer: TransactionalWriter,
    codecs: Codecs,
    topic: string,
    partition: number,
    reader: LedgerReader,
  ) {
    this.#writer = writer
    this.#codecs = codecs
    this.#topic = topic
    this.#partition = partition
    this.#reader = reader
  }

  static async open(
    connection: Connection,
    codecs: Codecs,
    topic: string,
    partition: number,
    transactionalId: string,
    signal: AbortSignal,
  ): Promise<Ledger> {
    const writer = await TransactionalWriter.open(connection, transactionalId, { signal })
    const reader = new LedgerReader(connection, codecs, topic, partition)
    const ledger = new Ledger(writer, codecs, topic, partition, reader)
    for await (const entry of ledger.#reader.entries(signal)) ledger.remember(entry)
    return ledger
  }

  /** The newest entry of every unit of a source. */
  entries(source: string): ReadonlyMap<string, LedgerEntry> {
    return this.#view.get(source) ?? new Map<string, LedgerEntry>()
  }

  /**
   * Resolves when the entry is committed. One transaction after the other, whichever source writes. Throws ChatfeedError
   * `ledger_lost` when another process owns the ledger now, or when nobody knows whether the entry was written: the
   * ledger is of no use any more then and must be opened anew.
   */
  async put(entry: LedgerEntry): Promise<void> {
    const key = ledgerKey(entry)
    try {
      await this.#after(async () => {
        const value = Buffer.from(this.#codecs.ledgerEntry.encode(entry))
        const batch = new RecordBatchWriter(1_024)
        batch.append(key, value)
        await this.#writer.commit([
          { topic: this.#topic, partition: this.#partition, batches: [batch.seal()] },
        ])
        this.#ahead.set(key.toString(), value)
        this.remember(entry)
      })
    } catch (cause) {
      if (!isTransient(cause)) throw cause
      throw new ChatfeedError('transient', 'ledger_lost', `The ledger is lost: ${cause.message}`, { cause })
    }
  }

  /** Takes in what others, a backfill, have written; so often that nothing goes unseen for more than two seconds. */
  async catchUp(signal: AbortSignal): Promise<void> {
    if (performance.now() < this.#caughtUpAt + unseenMs) return
    this.#catchingUp ??= this.catchUpNow(signal).finally(() => {
      this.#catchingUp = undefined
    })
    await this.#catchingUp
  }

  /** Takes in all that others have written before the call; false when `signal` aborted first. */
  catchUpNow(signal: AbortSignal): Promise<boolean> {
    return this.#after(async () => {
      const startedAt = performance.now()
      for await (const entry of this.#reader.entries(signal)) this.#takeIn(entry)
      if (signal.aborted) return false
      this.#caughtUpAt = startedAt
      return true
    })
  }

  #after<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#step.then(step)
    this.#step = result.catch(() => undefined)
    return result
  }

  #takeIn(entry: LedgerEntry): void {
    const key = ledgerKey(entry).toString()
    const ahead = this.#ahead.get(key)
    if (!ahead) this.remember(entry)
    else if (ahead.equals(this.#codecs.ledgerEntry.encode(entry))) this.#ahead.delete(key)
  }

  /** Keeps an entry in memory only. */
  remember(entry: LedgerEntry): void {
    remember(this.#view, entry)
  }
}

function remember(view: LedgerView, entry: LedgerEntry): void {
  const units = view.get(entry.source)
  if (units) units.set(entry.unit, entry)
  else view.set(entry.source, new Map([[entry.unit, entry]]))
}
