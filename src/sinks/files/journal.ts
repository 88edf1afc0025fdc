import { Readable } from 'node:stream'
import { ChatfeedError } from '../../errors.ts'
import type { ObjectStore } from '../../object-store/index.ts'
import { ownFolder, streamName } from './keys.ts'

/** The records of a partition that are stored in one step, from an offset to before another, and their files. */
export interface WindowEntry {
  from: number
  to: number
  files: readonly string[]
}

/**
 * What lies beside the files: the position of each partition, and every window. A window is entered before the first of
 * its files is to be seen, and only once for its first offset: whoever begins there again, after a crash or beside an
 * old reader, stores the same records under the same names, however often. Then it does not matter who does it, how
 * often, or who moves the position last.
 */
export class Journal {
  readonly #store: ObjectStore
  readonly #folder: string

  constructor(store: ObjectStore, stream: string) {
    this.#store = store
    this.#folder = `${ownFolder}${streamName(stream)}/`
  }

  /** The offset to read next; null where nothing was stored. */
  async position(partition: number): Promise<number | null> {
    const entry = await readJson<{ next: number }>(this.#store, this.#positionKey(partition))
    return entry?.next ?? null
  }

  async setPosition(partition: number, next: number): Promise<void> {
    await this.#put(this.#positionKey(partition), { next })
  }

  /** The window that was entered at this offset. */
  window(partition: number, from: number): Promise<WindowEntry | null> {
    return readJson<WindowEntry>(this.#store, this.#windowKey(partition, from))
  }

  /** Enters a window; resolves to whether it is the first one there. */
  enter(partition: number, window: WindowEntry): Promise<boolean> {
    return this.#store.putNew(this.#windowKey(partition, window.from), json(window))
  }

  /** Enters the files that a window has now. */
  async amend(partition: number, window: WindowEntry): Promise<void> {
    await this.#put(this.#windowKey(partition, window.from), window)
  }

  /** Forgets a window. */
  async remove(partition: number, { from }: WindowEntry): Promise<void> {
    await this.#store.remove(this.#windowKey(partition, from))
  }

  /** All windows of a partition, in no order. */
  async *windows(partition: number): AsyncGenerator<WindowEntry> {
    for await (const { key } of this.#store.list(`${this.#folder}${partition}/`)) {
      const window = await readJson<WindowEntry>(this.#store, key)
      if (window) yield window
    }
  }

  #positionKey(partition: number): string {
    return `${this.#folder}${partition}.json`
  }

  #windowKey(partition: number, from: number): string {
    return `${this.#folder}${partition}/${from}.json`
  }

  async #put(key: string, value: object): Promise<void> {
    const body = json(value)
    await this.#store.put(key, Readable.from([body]), body.length)
  }
}

/**
 * What the names of files end with before their extension: nothing for the first stream of a store. Those of others
 * must not meet, for they count from 0 as well.
 */
export async function streamSuffix(store: ObjectStore, stream: string): Promise<string> {
  const key = `${ownFolder}stream.json`
  const name = streamName(stream)
  const first = await readJson<{ name: string }>(store, key)
  if (first) return first.name === name ? '' : `-${name}`
  if (await store.putNew(key, json({ name, stream }))) return ''
  return streamSuffix(store, stream)
}

async function readJson<T>(store: ObjectStore, key: string): Promise<T | null> {
  const parts: Buffer[] = []
  try {
    for await (const part of await store.get(key)) parts.push(part as Buffer)
  } catch (error) {
    if (error instanceof ChatfeedError && error.code === 'no_object') return null
    throw error
  }
  return JSON.parse(Buffer.concat(parts).toString()) as T
}

const json = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)
