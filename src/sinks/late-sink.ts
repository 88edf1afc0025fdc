import { isTransient } from '../errors.ts'
import type { Message } from '../model.ts'
import type { Sink } from './sink.ts'

/**
 * A sink whose store may not be there yet. It is opened at the first use, and again at the next one for as long as
 * that fails: a store that is away at the start holds up its own messages only, as one that goes away later does.
 */
export class LateSink implements Sink {
  readonly name: string
  readonly type: string
  readonly #open: () => Promise<Sink>
  #sink: Promise<Sink> | undefined

  constructor({ name, type }: Pick<Sink, 'name' | 'type'>, open: () => Promise<Sink>) {
    this.name = name
    this.type = type
    this.#open = open
  }

  /** Opens the store now. Resolves also while it is away; throws what trying again cannot help. */
  async tryOpen(onAway: (error: Error) => void): Promise<void> {
    try {
      await this.#opened()
    } catch (error) {
      if (!isTransient(error)) throw error
      onAway(error)
    }
  }

  async position(partition: number): Promise<number | null> {
    return (await this.#opened()).position(partition)
  }

  async write(partition: number, messages: readonly Message[], nextOffset: number): Promise<void> {
    await (await this.#opened()).write(partition, messages, nextOffset)
  }

  async rows(): Promise<number> {
    return (await this.#opened()).rows()
  }

  async close(): Promise<void> {
    const sink = await this.#sink?.catch(() => undefined) // one that never opened has nothing to close
    await sink?.close()
  }

  /** Several partitions ask at once: they share one attempt. */
  #opened(): Promise<Sink> {
    this.#sink ??= this.#open().catch((error: unknown) => {
      this.#sink = undefined
      throw error
    })
    return this.#sink
  }
}
