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

  position(partition: number): Promise<number | null> {
    return this.#use((sink) => sink.position(partition))
  }

  write(partition: number, messages: readonly Message[], nextOffset: number): Promise<void> {
    return this.#use((sink) => sink.write(partition, messages, nextOffset))
  }

  rows(): Promise<number> {
    return this.#use((sink) => sink.rows())
  }

  async close(): Promise<void> {
    const sink = await this.#sink?.catch(() => undefined) // one that never opened has nothing to close
    await sink?.close()
  }

  /** A store that is no longer there is opened anew at the next use. */
  async #use<T>(call: (sink: Sink) => Promise<T>): Promise<T> {
    const opening = this.#opened()
    const sink = await opening
    try {
      return await call(sink)
    } catch (error) {
      if (isTransient(error) && error.code === 'store_gone' && this.#sink === opening) {
        this.#sink = undefined
        await sink.close()
      }
      throw error
    }
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
