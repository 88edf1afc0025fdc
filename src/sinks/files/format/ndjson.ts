import type { Message } from '../../../model.ts'
import { messageJson } from '../../message-json.ts'
import type { FileEncoder, FileFormat } from './format.ts'

/** One JSON object a line, as `messageJson` writes it. */
export const ndjson: FileFormat = { extension: 'ndjson', begin: () => new NdjsonEncoder() }

class NdjsonEncoder implements FileEncoder {
  #lines: string[] = []
  #held = 0
  #taken = 0

  get size(): number {
    return this.#taken + this.#held
  }

  add(message: Message): void {
    const line = messageJson(message)
    this.#lines.push(line)
    this.#held += line.length + 1
  }

  take(): Uint8Array {
    if (this.#lines.length === 0) return Buffer.alloc(0)
    const bytes = Buffer.from(`${this.#lines.join('\n')}\n`)
    this.#lines = []
    this.#held = 0
    this.#taken += bytes.length
    return bytes
  }

  end(): Uint8Array {
    return this.take()
  }
}
