import { ledgerCodec } from '../avro.ts'
import { ChatfeedError, isTransient } from '../errors.ts'
import type { Connection } from '../kafka/connection.ts'
import { readRange } from '../kafka/range.ts'
import { RecordBatchWriter } from '../kafka/record-batch.ts'
import { TransactionalWriter } from '../kafka/transaction.ts'
import type { LedgerEntry } from '../model.ts'

/** The key of an entry: `source|unit`. */
export const ledgerKey = (entry: Pick<LedgerEntry, 'source' | 'unit'>): Buffer =>
  Buffer.from(`${entry.source}|${entry.unit}`)

/** The newest entry of every unit, by source and unit name. */
export type LedgerView = Map<string, Map<string, LedgerEntry>>

/** Reads one partition of the ledger topic into `view`. */
export async function readLedger(
  connection: Connection,
  topic: string,
  partition: number,
  view: LedgerView,
  signal?: AbortSignal,
): Promise<void> {
  for await (const records of readRange(connection, topic, partition, signal ? { signal } : {})) {
    for (const record of records) {
      const value = record.value()
      if (!value) continue
      remember(view, ledgerCodec.decode(value))
    }
  }
}

/**
 * The ledger of the sources that live in one partition of the ledger topic. Its writer is transactional, so a
 * process that lost the partition cannot overwrite what its successor knows.
 */
export class Ledger {
  readonly #writer: TransactionalWriter
  readonly #topic: string
  readonly #partition: number
  readonly #view: LedgerView
  #writing: Promise<void> = Promise.resolve()

  private constructor(writer: TransactionalWriter, topic: string, partition: number, view: LedgerView) {
    this.#writer = writer
    this.#topic = topic
    this.#partition = partition
    this.#view = view
  }

  static async open(
    connection: Connection,
    topic: string,
    partition: number,
    transactionalId: string,
    signal: AbortSignal,
  ): Promise<Ledger> {
    const writer = await TransactionalWriter.open(connection, transactionalId, { signal })
    const view: LedgerView = new Map()
    await readLedger(connection, topic, partition, view, signal)
    return new Ledger(writer, topic, partition, view)
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
