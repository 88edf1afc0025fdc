import type { Codecs } from '../codecs.ts'
import { Producer } from '../kafka/producer.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import type { LedgerEntry } from '../model.ts'
import { ledgerKey, ledgerPartition } from './ledger.ts'

/** Where entries are written to. */
export interface EntryWriterOptions {
  kafka: KafkaConnection
  log: Logger
  codecs: Codecs
  ledgerTopic: string
  signal: AbortSignal
}

/**
 * Writes ledger entries from beside the running ingest, by a plain producer: the ledger's transactional writers belong
 * to ingest, which must not be fenced. Opens the producer when it is first needed, and a new one after an error.
 */
export class EntryWriter {
  readonly #options: EntryWriterOptions
  #producer: Producer | undefined

  constructor(options: EntryWriterOptions) {
    this.#options = options
  }

  /** Resolves when the entry is acknowledged. It lies in the partition that its source lives in. Throws what Kafka throws. */
  async put(entry: LedgerEntry): Promise<void> {
    const { kafka, log, codecs, ledgerTopic, signal } = this.#options
    const producer = (this.#producer ??= await Producer.open(kafka, log, ledgerTopic, { signal }))
    try {
      const partition = ledgerPartition(entry.source, producer.partitions)
      await producer.addTo(partition, ledgerKey(entry), codecs.ledgerEntry.encode(entry))
      await producer.flush()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.close()
  }
}
