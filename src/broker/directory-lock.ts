import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync, type DatabaseSyncInstance as Database } from '@photostructure/sqlite'

import { ChatfeedError } from '../errors.ts'

const retryMs = 50

/**
 * Waits until nobody else holds the directory, then holds it until the returned function is called. The lock is
 * SQLite's lock on an empty file, so the kernel lets go of it when its holder dies: no lock is ever stale.
 * `onWait` is called once if someone else is found holding it. Rejects with the reason of `signal` when it aborts.
 */
export async function lockDirectory(
  directory: string,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: () => void },
): Promise<() => void> {
  const database = open(join(directory, 'lock'))
  try {
    for (let attempt = 0; !tryLock(database); attempt++) {
      if (attempt === 0) onWait?.()
      await sleep(retryMs, undefined, { signal })
    }
  } catch (error) {
    database.close()
    signal?.throwIfAborted()
    throw error
  }
  return () => {
    database.close()
  }
}

function tryLock(database: Database): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if (error instanceof Error && 'sqliteCodeName' in error && error.sqliteCodeName === 'SQLITE_BUSY')
      return false
    throw unusable(database.location() ?? '', error)
  }
}

function open(path: string): Database {
  try {
    return new DatabaseSync(path)
  } catch (error) {
    throw unusable(path, error)
  }
}

function unusable(path: string, cause: unknown): ChatfeedError {
  const what = cause instanceof Error ? cause.message : String(cause)
  return new ChatfeedError('fatal', 'directory_unusable', `${path} cannot be used: ${what}.`, {
    cause,
    mend: 'Free space on its disk and let chatfeed write there, or set dataDir to another folder.',
  })
}
