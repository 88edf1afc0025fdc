import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Message } from '../../../model.ts'
import type { FileEncoder, FileFormat } from './format.ts'
import { columns, parquetSchema } from './parquet-schema.ts'

/**
 * Rows of a row group: held until it is full. Readers skip whole groups by their statistics, and write and read one
 * in memory. The thread stands still while one is written: for a fifth of a second.
 */
const groupRows = 10_000
/** Of the same in bytes, as JSON would have them. */
const groupBytes = 32 * 2 ** 20
/** A row beside its texts. */
const rowBytes = 200
/** Typical of chat messages, for the size of rows that are not written yet. */
const compression = 3

/** Parquet files: columns named as in `schemas/message.avsc`, snappy. */
export const parquet: FileFormat = { extension: 'parquet', begin: () => new ParquetEncoder() }

class ParquetEncoder implements FileEncoder {
  readonly #bytes = new ByteWriter()
  readonly #file = new ParquetWriter({ writer: this.#bytes, schema: parquetSchema, createdBy: 'chatfeed' })
  #rows: Message[] = []
  #held = 0

  get size(): number {
    return this.#bytes.offset + Math.round(this.#held / compression)
  }

  add(message: Message): void {
    this.#rows.push(message)
    this.#held += rowBytes + (message.text?.length ?? 0) + (message.data?.length ?? 0)
    if (this.#rows.length >= groupRows || this.#held >= groupBytes) this.#endGroup()
  }

  take(): Uint8Array {
    const bytes = Buffer.from(this.#bytes.getBytes())
    this.#bytes.index = 0 // `offset` goes on: places in the file are counted by it
    return bytes
  }

  end(): Uint8Array {
    if (this.#rows.length > 0) this.#endGroup()
    void this.#file.finish()
    return this.take()
  }

  #endGroup(): void {
    const rows = this.#rows
    const columnData = columns.map(({ name, value }) => ({ name, data: rows.map(value) }))
    void this.#file.write({ columnData, rowGroupSize: rows.length })
    this.#rows = []
    this.#held = 0
  }
}
