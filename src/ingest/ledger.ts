import { ledgerCodec } from '../avro.ts'
import { ChatfeedError, isTransient } from '../errors.ts'
import type { Connection } from '../kafka/connection.ts'
import { partitionOf } from '../kafka/partitioner.ts'
import { readRange } from '../kafka/range.ts'
import { RecordBatchWriter } from '../kafka/record-batch.ts'
import { TransactionalWriter } from '../kafka/transaction.ts'
import type { LedgerEntry } from '../model.ts'

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
  readonly #topic: string
  readonly #partition: number
  #from: number | undefined

  constructor(connection: Connection, topic: string, partition: number) {
    this.#connection = connection
    this.#topic = topic
    this.#partition = partition
  }

  /** The entries committed since the last call, all of them at first; cut short when `signal` aborts. */
  async *entries(signal?: AbortSignal): AsyncGenerator<LedgerEntry> {
    const range = {
      ...(this.#from !== undefined && { from: this.#from }),
      ...(signal && { signal }),
    }
    for await (const records of readRange(this.#connection, this.#topic, this.#partition, range)) {
      for (const record of records) {
        const value = record.value()
        if (value) yield ledgerCodec.decode(value)
      }
      this.#from = records.nextOffset
    }
  }
}

/** Reads one partition of the ledger topic into `view`. */
export async function readLedger(
  connection: Connection,
  topic: string,
  partition: number,
  view: LedgerView,
  signal?: AbortSignal,
): Promise<void> {
  const reader = new LedgerReader(connection, topic, partition)
  for await (const entry of reader.entries(signal)) remember(view, entry)
}

/** How long the entries of others may go unseen. */
const unseenMs = 2_000

/**
 * The ledger of the sources that live in one partition of the ledger topic. Its writer is transactional, so a
 * process that lost the partition cannot overwrite what its successor knows.
 */
export class Ledger {
  readonly #writer: TransactionalWriter
  readonly #topic: string
  readonly #partition: number
  readonly #reader: LedgerReader
  readonly #view: LedgerView = new Map()
  #writing: Promise<void> = Promise.resolve()
  #catchingUp: Promise<void> | undefined
  #caughtUpAt = 0

  private constructor(writer: TransactionalWriter, topic: string, partition: number, reader: LedgerReader) {
    this.#writer = writer
    this.#topic = topic
    this.#partition = partition
    this.#reader = reader
  }

  static async open(
    connection: Connection,
    topic: string,
    partition: number,
    transactionalId: string,
    signal: AbortSignal,
  ): Promise<Ledger> {
    const writer = await TransactionalWriter.open(connection, transactionalId, { signal })
    const ledger = new Ledger(writer, topic, partition, new LedgerReader(connection, topic, partition))
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
    const write = this.#writing.then(async () => {
      const batch = new RecordBatchWriter(1_024)
      batch.append(ledgerKey(entry), ledgerCodec.encode(entry))
      await this.#writer.commit([{ topic: this.#topic, partition: this.#partition, batches: [batch.seal()] }])
    })
    this.#writing = write.catch(() => undefined)
    try {
      await write
    } catch (cause) {
      if (!isTransient(cause)) throw cause
      throw new ChatfeedError('transient', 'ledger_lost', `The ledger is lost: ${cause.message}`, { cause })
    }
    this.remember(entry)
  }

  /** Takes in what others, a backfill, have written; so often that nothing goes unseen for more than two seconds. */
  catchUp(signal: AbortSignal): Promise<void> {
    if (performance.now() < this.#caughtUpAt + unseenMs) return Promise.resolve()
    this.#catchingUp ??= this.#catchUp(signal).finally(() => {
      this.#catchingUp = undefined
    })
    return this.#catchingUp
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const startedAt = performance.now()
    for await (const entry of this.#reader.entries(signal)) {
      const known = this.#view.get(entry.source)?.get(entry.unit)
      // One of our own may have been overtaken by what is in memory only.
      if ((entry.lastTriedAt ?? 0) >= (known?.lastTriedAt ?? 0)) this.remember(entry)
    }
    this.#caughtUpAt = startedAt
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
