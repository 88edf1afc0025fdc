import type { Message } from '../../model.ts'
import type { ObjectStore } from '../../object-store/index.ts'
import type { FileFormat } from './format/format.ts'
import { folderOf } from './keys.ts'
import { OpenFile } from './open-file.ts'

/** Each may hold some megabytes of memory. */
const mostFiles = 32

/** Where the files of a window go, and what they are called. */
export interface WindowPlace {
  store: ObjectStore
  format: FileFormat
  /** Of a file, without folder and extension. */
  name: string
}

/** Messages of a partition from an offset on, in files that become visible together. */
export class Window {
  readonly from: number
  /** Where it has to end, because it was entered in the journal before; null where that is free. */
  readonly mustEnd: number | null
  /** Behind the last record. */
  next: number
  /** When each of its messages was fetched, epoch ms. */
  readonly fetchedAt: number[] = []
  readonly #place: WindowPlace
  readonly #files = new Map<string, OpenFile>()

  constructor(from: number, mustEnd: number | null, place: WindowPlace) {
    this.from = this.next = from
    this.mustEnd = mustEnd
    this.#place = place
  }

  /** Keys of its files, sorted. */
  get keys(): string[] {
    return [...this.#files.values()].map(({ key }) => key).sort()
  }

  /** Whether a file has come to this size, or there are many. */
  isFull(bytes: number): boolean {
    if (this.#files.size > mostFiles) return true
    for (const { size } of this.#files.values()) if (size >= bytes) return true
    return false
  }

  /** Takes messages up to the offset `next`. */
  async add(messages: Iterable<Message>, next: number): Promise<void> {
    for (const message of messages) {
      this.#fileOf(message).add(message)
      this.fetchedAt.push(message.fetchedAt)
    }
    for (const file of this.#files.values()) await file.pass()
    this.next = next
  }

  /** Resolves when every file is safe. One after the other: they wait for the same disk or line. */
  async finish(): Promise<void> {
    for (const file of this.#files.values()) await file.finish()
  }

  async abandon(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.abandon()))
  }

  #fileOf(message: Message): OpenFile {
    const folder = folderOf(message)
    const known = this.#files.get(folder)
    if (known) return known
    const { store, format, name } = this.#place
    const file = new OpenFile(store, `${folder}/${name}.${format.extension}`, format.begin())
    this.#files.set(folder, file)
    return file
  }
}
