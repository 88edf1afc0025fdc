import { rmSync } from 'node:fs'

/** Removes a SQLite database while it is in use, as a person would who wants it gone. */
export function removeDatabase(path: string): void {
  for (const file of ['', '-wal', '-shm']) rmSync(path + file, { force: true })
}
