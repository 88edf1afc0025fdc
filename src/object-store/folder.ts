import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { ChatfeedError } from '../errors.ts'
import { checkKey } from './key.ts'
import type { ObjectInfo, ObjectStore } from './object-store.ts'

/** Where files lie until they are whole: on the same disk, so that renaming them is one step. */
const partFolder = '.part'
/** What a killed process left there is removed after this long: no file takes so long to write. */
const abandonedMs = 86_400_000

/** Objects as files below a folder, which is created. Throws ChatfeedError `fatal` where it cannot be written to. */
export async function openFolderStore(folder: string): Promise<ObjectStore> {
  const store = new FolderStore(resolve(folder))
  try {
    await store.prepare()
  } catch (cause) {
    throw new ChatfeedError(
      'fatal',
      'object_store',
      `${folder} cannot be used as a store (${codeOf(cause)}).`,
      {
        cause,
        mend: 'Give this user the right to write there, or choose another folder.',
      },
    )
  }
  return store
}

class FolderStore implements ObjectStore {
  readonly #root: string
  readonly #parts: string

  constructor(root: string) {
    this.#root = root
    this.#parts = join(root, partFolder)
  }

  async prepare(): Promise<void> {
    await mkdir(this.#parts, { recursive: true })
    for (const name of await readdir(this.#parts)) {
      const part = join(this.#parts, name)
      const found = await unlessMissing(stat(part))
      if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(part, { force: true })
    }
  }

  async put(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#write(key, body, rename)
  }

  async putNew(key: string, body: Uint8Array): Promise<boolean> {
    if ((await this.size(key)) !== null) return false
    return this.#write(key, [body], linkNew)
  }

  async size(key: string): Promise<number | null> {
    const found = await telling('reading', unlessMissing(stat(this.#path(key))))
    return found?.isFile() ? found.size : null
  }

  async get(key: string): Promise<Readable> {
    if ((await this.size(key)) === null)
      throw new ChatfeedError('message', 'no_object', `The store has no object ${key}.`)
    return createReadStream(this.#path(key))
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    yield* this.#listFolder(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix)
  }

  async remove(key: string): Promise<void> {
    await telling('removing', rm(this.#path(key), { force: true }))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async *#listFolder(folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
    const path = join(this.#root, folder)
    const entries = (await telling('listing', unlessMissing(readdir(path, { withFileTypes: true })))) ?? []
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const key = folder + entry.name
      if (entry.name.startsWith('.')) continue
      if (entry.isDirectory() && (key.startsWith(prefix) || prefix.startsWith(`${key}/`)))
        yield* this.#listFolder(`${key}/`, prefix)
      if (!entry.isFile() || !key.startsWith(prefix)) continue
      const size = await this.size(key)
      if (size !== null) yield { key, size }
    }
  }

  /** Resolves to what `name` says, which gives the whole file its name. */
  async #write<T>(
    key: string,
    body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    name: (part: string, path: string) => Promise<T>,
  ): Promise<T> {
    const path = this.#path(key)
    const part = join(this.#parts, randomUUID())
    try {
      await telling('writing', mkdir(this.#parts, { recursive: true })) // the folder may have been removed
      const file = await telling('writing', open(part, 'wx'))
      try {
        for await (const chunk of body) await telling('writing', writeWhole(file, chunk))
        await telling('writing', file.sync())
      } finally {
        await file.close()
      }
      return await telling('writing', moveInto(part, path, name))
    } catch (error) {
      // On a disk that is read-only now this fails as well; the first error says why.
      await rm(part, { force: true }).catch(() => undefined)
      throw error
    }
  }

  #path(key: string): string {
    return join(this.#root, checkKey(key))
  }
}

/** A single write may take less than it was given. */
async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten
}

/** Its new name is safe only once the folder that holds it is written. */
async function moveInto<T>(
  part: string,
  path: string,
  name: (part: string, path: string) => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  const named = await name(part, path)
  const folder = await open(dirname(path))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
  return named
}

/** Unlike `rename` never over a file that is there; resolves to whether there was none. */
async function linkNew(part: string, path: string): Promise<boolean> {
  try {
    await link(part, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(part, { force: true })
  }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** Says in chatfeed's terms what the disk refuses: room can be made, a disk can come back. */
async function telling<T>(doing: string, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (cause) {
    throw new ChatfeedError(
      'transient',
      'object_store',
      `The store's folder refused ${doing} (${codeOf(cause)}).`,
      {
        cause,
        mend: 'Look at the disk: is there room, and may this user write there?',
      },
    )
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error'
}
