import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from '../object-store/index.ts'

/** What a killed process left is removed after this long. */
const abandonedMs = 3_600_000

/** A file that was kept: by its content, so one copy however often it was sent. */
export interface Archived {
  /** Lower-case hex. */
  sha256: string
  archiveKey: string
  size: number
}

/** The key of a content: `sha256/ab/abcdef…`. */
export function archiveKeyOf(sha256: string): string {
  return `sha256/${sha256.slice(0, 2)}/${sha256}`
}

/**
 * Files by their content in an object store. A body lies beside it, on this machine's disk, until it is whole: only
 * then is its name known, and only then does it go into the store.
 */
export class Archive {
  readonly #store: ObjectStore
  readonly #spool: string

  private constructor(store: ObjectStore, spool: string) {
    this.#store = store
    this.#spool = spool
  }

  static async open(store: ObjectStore, spool: string): Promise<Archive> {
    await mkdir(spool, { recursive: true })
    for (const name of await readdir(spool)) {
      const path = join(spool, name)
      // Another process may have removed it meanwhile.
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
      if (Date.now() - mtimeMs > abandonedMs) await rm(path, { force: true })
    }
    return new Archive(store, spool)
  }

  /** Takes a body to its end and keeps it. What `body` throws is thrown, and nothing is kept. */
  async keep(body: AsyncIterable<Uint8Array>): Promise<Archived> {
    const path = join(this.#spool, randomUUID())
    await mkdir(this.#spool, { recursive: true }) // it may have been cleaned away
    try {
      const { sha256, size } = await spool(await open(path, 'wx'), body)
      const archiveKey = archiveKeyOf(sha256)
      if ((await this.#store.size(archiveKey)) !== size) await this.#put(archiveKey, path, size)
      return { sha256, archiveKey, size }
    } finally {
      await rm(path, { force: true })
    }
  }

  async #put(archiveKey: string, path: string, size: number): Promise<void> {
    const file = createReadStream(path)
    try {
      await this.#store.put(archiveKey, file as AsyncIterable<Buffer>, size)
    } finally {
      file.destroy() // also where the store failed before it read anything
    }
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

async function spool(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const part of body) {
      hash.update(part)
      size += part.length
      await file.writeFile(part)
    }
  } finally {
    await file.close()
  }
  return { sha256: hash.digest('hex'), size }
}
