import { ChatfeedError } from '../../errors.ts'
import type { RecordSet } from '../../kafka/record-set.ts'
import { type ObjectStore, openObjectStore } from '../../object-store/index.ts'
import type { Sink, SinkContext } from '../sink.ts'
import type { FilesConfig } from './config.ts'
import type { FileFormat } from './format/format.ts'
import { openFormat } from './format/index.ts'
import { Journal, streamSuffix } from './journal.ts'
import { Window } from './window.ts'

/** Opens the store of the sink; a folder is made where it is missing. Nothing is ever refused. */
export async function openFilesSink(
  { name, path, s3, format, rollBytes }: FilesConfig,
  { log, stream, messagesOf }: Pick<SinkContext, 'log' | 'stream' | 'messagesOf'>,
): Promise<Sink> {
  const store = await openObjectStore(path, s3)
  try {
    const suffix = await streamSuffix(store, stream)
    const opened = { store, format: await openFormat(format), suffix, journal: new Journal(store, stream) }
    log.debug({ sink: name, path, stream }, 'sink opened')
    return new FilesSink({ name, rollBytes, messagesOf, ...opened })
  } catch (error) {
    await store.close()
    throw error
  }
}

interface FilesSinkOptions extends Pick<SinkContext, 'messagesOf'> {
  name: string
  store: ObjectStore
  journal: Journal
  format: FileFormat
  /** See `streamSuffix`. */
  suffix: string
  rollBytes: number
}

/** Gathers each partition in a window of files, and rolls it: see `Journal` for why that stores every record once. */
class FilesSink implements Sink {
  readonly type = 'files'
  readonly name: string
  readonly #options: FilesSinkOptions
  readonly #windows = new Map<number, Window>()
  readonly #stored = new Map<number, number>()

  constructor(options: FilesSinkOptions) {
    this.name = options.name
    this.#options = options
  }

  async position(partition: number): Promise<number | null> {
    const next = await this.#options.journal.position(partition)
    if (next === null) this.#stored.delete(partition)
    else this.#stored.set(partition, next)
    return next
  }

  /** What it fails with, the window is gone: its records have to come again from where it began. */
  async write(records: RecordSet): Promise<readonly number[]> {
    const { partition } = records
    let window: Window | undefined
    try {
      const stored: number[] = []
      let rest = records
      for (;;) {
        window = await this.#windowAt(partition, rest.fromOffset)
        const part = rest.before(window.mustEnd ?? Infinity)
        await window.add(this.#options.messagesOf(part), part.nextOffset)
        const isDue =
          window.mustEnd === null ? window.isFull(this.#options.rollBytes) : window.next === window.mustEnd
        if (isDue) for (const at of await this.#roll(partition, window)) stored.push(at)
        if (part.nextOffset === records.nextOffset) return stored
        rest = rest.since(part.nextOffset)
      }
    } catch (error) {
      await this.#abandon(partition, window)
      throw error
    }
  }

  /** A window that was entered before is left until it has all its records. */
  async flush(partition: number): Promise<readonly number[]> {
    const window = this.#windows.get(partition)
    if (!window || window.mustEnd !== null) return []
    try {
      return await this.#roll(partition, window)
    } catch (error) {
      await this.#abandon(partition, window)
      throw error
    }
  }

  storedTo(partition: number): number | null {
    return this.#stored.get(partition) ?? null
  }

  rows(): Promise<null> {
    return Promise.resolve(null)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#windows.keys()].map((partition) => this.#drop(partition)))
    await this.#options.store.close()
  }

  /** The window that goes on at this offset; a new one where the reader began anew. */
  async #windowAt(partition: number, offset: number): Promise<Window> {
    const { journal, store, format, suffix } = this.#options
    const open = this.#windows.get(partition)
    if (open?.next === offset) return open
    await this.#drop(partition)
    const entered = await journal.window(partition, offset)
    const name = `${partition}-${offset}${suffix}`
    const window = new Window(offset, entered?.to ?? null, { store, format, name })
    this.#windows.set(partition, window)
    return window
  }

  async #roll(partition: number, window: Window): Promise<readonly number[]> {
    const { journal } = this.#options
    const { from, next: to, keys: files } = window
    const position = (await journal.position(partition)) ?? -1
    if (position < (this.#stored.get(partition) ?? -1)) throw this.#setBack()
    if (to > from) {
      const isFirst = window.mustEnd === null && (await journal.enter(partition, { from, to, files }))
      const entered = isFirst ? null : await journal.window(partition, from)
      // Entered by somebody, or by nobody that can be seen yet: without an entry nothing may be stored.
      if (!isFirst && entered?.to !== to) throw this.#entered()
      await window.finish()
      // Those of another format or filter, which the same records no longer go to.
      const others = entered?.files.filter((key) => !files.includes(key)) ?? []
      for (const key of others) await this.#options.store.remove(key)
      if (entered && entered.files.join() !== files.join())
        await journal.amend(partition, { from, to, files })
    }
    if (position < to) await journal.setPosition(partition, to)
    this.#stored.set(partition, Math.max(position, to))
    if (this.#windows.get(partition) === window) this.#windows.delete(partition)
    return window.fetchedAt
  }

  async #drop(partition: number): Promise<void> {
    const window = this.#windows.get(partition)
    this.#windows.delete(partition)
    await window?.abandon()
  }

  /** Gives up a window that failed. That of the next reader, should there be one by now, is not touched. */
  async #abandon(partition: number, window: Window | undefined): Promise<void> {
    if (this.#windows.get(partition) === window) this.#windows.delete(partition)
    await window?.abandon()
  }

  #setBack(): ChatfeedError {
    return new ChatfeedError(
      'transient',
      'store_set_back',
      `The files of ${this.name} were removed or set back: they are written again.`,
    )
  }

  #entered(): ChatfeedError {
    return new ChatfeedError(
      'transient',
      'window_entered',
      `Another reader of ${this.name} has begun to store the same records: what it began is finished first.`,
    )
  }
}
