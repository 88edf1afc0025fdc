import { RecordBatchWriter, type RecordHeader, type SealedBatch } from './record-batch.ts'
import type { RecordView } from './record-set.ts'
import type { TransactionOutput } from './transaction.ts'

/** Below max.message.bytes (1 MB by default) whatever the compression makes of it, but for a larger single record. */
const batchBytes = 900_000

/** Collects what a task wants to write: records of its own partition number of each output topic. */
export class Outbox {
  readonly #partition: number
  readonly #topics = new Map<string, { batch: RecordBatchWriter; sealed: SealedBatch[] }>()

  constructor(partition: number) {
    this.#partition = partition
  }

  /** Copies key and value. */
  add(topic: string, key: Buffer | null, value: Buffer | null, headers?: readonly RecordHeader[]): void {
    this.#batch(topic, (key?.length ?? 0) + (value?.length ?? 0)).append(key, value, headers)
  }

  /** Copies key and value of a record that has both, with one byte of its buffer changed. */
  addChanged(
    topic: string,
    record: RecordView,
    changedAt: number,
    byte: number,
    headers?: readonly RecordHeader[],
  ): void {
    const { keyStart, valueEnd } = record
    this.#batch(topic, valueEnd - keyStart).appendChanged(record, changedAt, byte, headers)
  }

  /** The batch that a record of this size goes into. */
  #batch(topic: string, recordBytes: number): RecordBatchWriter {
    let output = this.#topics.get(topic)
    if (!output) {
      output = { batch: new RecordBatchWriter(), sealed: [] }
      this.#topics.set(topic, output)
    }
    const { batch, sealed } = output
    if (!batch.hasRoomFor(recordBytes, batchBytes)) sealed.push(batch.seal())
    return batch
  }

  /** Everything added since the last call. */
  take(): TransactionOutput[] {
    const outputs: TransactionOutput[] = []
    for (const [topic, output] of this.#topics) {
      if (output.batch.records > 0) output.sealed.push(output.batch.seal())
      if (output.sealed.length === 0) continue
      outputs.push({ topic, partition: this.#partition, batches: output.sealed })
      output.sealed = []
    }
    return outputs
  }
}
