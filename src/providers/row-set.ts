import { createHash } from 'node:crypto'
import type { RawRecord, SavedFileReading } from './provider.ts'

/** The distinct rows of one unit. A row is a message with a content: (id, fingerprint). */
export class RowSet {
  readonly #rows = new Set<string>()
  readonly #messages = new Set<string>()
  #bytes = 0

  get size(): number {
    return this.#rows.size
  }

  /** The row's name, or null when it is here already. */
  add({ messageId, position, fingerprint, payload }: RawRecord): string | null {
    const id = messageId ?? String(position)
    const row = `${id} ${fingerprint.toString('base64')}`
    if (this.#rows.has(row)) return null
    this.#rows.add(row)
    this.#messages.add(id)
    this.#bytes += payload.length
    return row
  }

  /** Lines are distinct messages; the digest does not depend on the order in which rows came. */
  result(): SavedFileReading {
    const digest = createHash('sha256')
      .update([...this.#rows].sort().join('\n'))
      .digest('hex')
    return { lines: this.#messages.size, bytes: this.#bytes, digest }
  }
}
