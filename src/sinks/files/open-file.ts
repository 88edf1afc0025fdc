import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Message } from '../../model.ts'
import type { ObjectStore } from '../../object-store/index.ts'
import type { FileEncoder } from './format/format.ts'

/** A file on its way into a store: nobody sees it before it is finished. */
export class OpenFile {
  readonly key: string
  readonly #encoder: FileEncoder
  readonly #body = new PassThrough({ highWaterMark: 2 ** 20 })
  readonly #put: Promise<void>

  constructor(store: ObjectStore, key: string, encoder: FileEncoder) {
    this.key = key
    this.#encoder = encoder
    this.#put = store.put(key, this.#body)
    // Both are told by the next step that waits for the store.
    this.#put.catch(() => undefined)
    this.#body.on('error', () => undefined)
  }

  /** Bytes, as far as they can be told. */
  get size(): number {
    return this.#encoder.size
  }

  add(message: Message): void {
    this.#encoder.add(message)
  }

  /** Hands over what is ready, as fast as the store takes it. Throws what the store throws. */
  async pass(): Promise<void> {
    const bytes = this.#encoder.take()
    if (bytes.length === 0) return
    // A store that fails no longer reads.
    if (!this.#body.write(bytes)) await Promise.race([once(this.#body, 'drain'), this.#put])
  }

  /** Resolves when the file is safe and seen under its name. Throws what the store throws. */
  async finish(): Promise<void> {
    this.#body.end(this.#encoder.end())
    await this.#put
  }

  /** Leaves nothing of it. */
  async abandon(): Promise<void> {
    this.#body.destroy(new Error('the file was given up'))
    await this.#put.catch(() => undefined)
  }
}
