import { openObjectStore } from '../../object-store/index.ts'
import type { FilesConfig } from './config.ts'
import { Journal } from './journal.ts'
import { isDataKey, ownFolder } from './keys.ts'

/**
 * See `SinkType.rewind`. A window is stored and removed whole, so a partition goes back to where the window begins that
 * holds the offset. Emptied, the store forgets every stream; files of others stay.
 */
export async function rewindFiles(
  { path, s3 }: FilesConfig,
  stream: string,
  to: ReadonlyMap<number, number> | null,
): Promise<void> {
  const store = await openObjectStore(path, s3)
  try {
    if (to === null) {
      for await (const { key } of store.list(ownFolder)) await store.remove(key)
      for await (const { key } of store.list('provider=')) if (isDataKey(key)) await store.remove(key)
      return
    }
    const journal = new Journal(store, stream)
    for (const [partition, offset] of to) {
      const position = await journal.position(partition)
      if (position === null || position <= offset) continue
      const undone = []
      for await (const window of journal.windows(partition)) if (window.to > offset) undone.push(window)
      // First: what is broken off here is done again by the next reader, with the same windows.
      await journal.setPosition(partition, Math.min(offset, ...undone.map(({ from }) => from)))
      for (const window of undone) {
        for (const key of window.files) await store.remove(key)
        await journal.remove(partition, window)
      }
    }
  } finally {
    await store.close()
  }
}
