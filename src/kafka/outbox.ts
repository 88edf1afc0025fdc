import { RecordBatchWriter, type RecordHeader, type SealedBatch } from './record-batch.ts'
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
    let output = this.#topics.get(topic)
    if (!output) {
      output = { batch: new RecordBatchWriter(), sealed: [] }
      this.#topics.set(topic, output)
    }
    if (!output.batch.hasRoomFor(key, value, batchBytes)) output.sealed.push(output.batch.seal())
    output.batch.append(key, value, headers)
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
