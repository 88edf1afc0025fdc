import { ChatfeedError, isTransient } from '../errors.ts'
import type { StoredPlace } from '../kafka/place.ts'
import type { Turn } from '../kafka/reader.ts'
import type { RecordSet } from '../kafka/record-set.ts'
import type { Sink } from './sink.ts'

/** A store in use, and the partitions whose place in it was asked for. */
interface Opened {
  sink: Sink
  begun: Set<number>
}

/**
 * A sink whose store may not be there yet. It is opened at the first use, and again at the next one for as long as
 * that fails: a store that is away at the start holds up its own messages only, as one that goes away later does. A store that was opened anew may have been set back: whoever writes must have asked it for its
 * place first, or what lies between would be lost.
 */
export class LateSink implements Sink {
  readonly name: string
  readonly type: string
  readonly #open: () => Promise<Sink>
  #opening: Promise<Opened> | undefined
  /** The store that is open now. */
  #now: Sink | undefined

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

  position(partition: number): Promise<StoredPlace> {
    return this.#use(({ sink, begun }) => {
      begun.add(partition)
      return sink.position(partition)
    })
  }

  write(records: RecordSet, turn?: Turn): Promise<readonly number[]> {
    return this.#use(async ({ sink, begun }) => {
      if (!begun.has(records.partition)) throw openedAnew(this.name)
      return sink.write(records, turn)
    })
  }

  flush(partition: number): Promise<readonly number[]> {
    return this.#use(({ sink, begun }) => {
      if (!begun.has(partition)) throw openedAnew(this.name)
      return sink.flush?.(partition) ?? []
    })
  }

  storedTo(partition: number): number | null {
    return this.#now?.storedTo?.(partition) ?? null
  }

  rows(): Promise<number | null> {
    return this.#use(({ sink }) => sink.rows())
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined) // one that never opened has nothing to close
    await opened?.sink.close()
  }

  /** A store that is no longer there is opened anew at the next use. */
  async #use<T>(call: (opened: Opened) => Promise<T> | T): Promise<T> {
    const opening = this.#opened()
    const opened = await opening
    try {
      return await call(opened)
    } catch (error) {
      if (isTransient(error) && error.code === 'store_gone' && this.#opening === opening) {
        this.#opening = this.#now = undefined
        await opened.sink.close()
      }
      throw error
    }
  }

  /** Several partitions ask at once: they share one attempt. */
  #opened(): Promise<Opened> {
    this.#opening ??= this.#open().then(
      (sink) => {
        this.#now = sink
        return { sink, begun: new Set() }
      },
      (error: unknown) => {
        this.#opening = undefined
        throw error
      },
    )
    return this.#opening
  }
}

function openedAnew(name: string): ChatfeedError {
  return new ChatfeedError(
    'transient',
    'store_opened_anew',
    `The store of ${name} was opened anew: it is asked for its place again.`,
  )
}
