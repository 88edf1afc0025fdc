import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fault, fine, type Finding, warning } from './finding.ts'

const leastFreeBytes = 2 ** 30

/** Whether a folder, or the nearest one above it that exists, can be written to and has room. Creates nothing. */
export function checkFolder(about: string, folder: string): Finding {
  let place = resolve(folder)
  while (!existsSync(place) && place !== dirname(place)) place = dirname(place)
  try {
    accessSync(place, constants.W_OK | constants.X_OK)
  } catch (error) {
    const text = `${place} cannot be written to (${(error as NodeJS.ErrnoException).code ?? 'no access'}).`
    return fault(about, text, 'Give this user the right to write there, or choose another folder.')
  }
  const { bavail, bsize } = statfsSync(place)
  const freeBytes = bavail * bsize
  const text = `${place} can be written to, ${(freeBytes / 2 ** 30).toFixed(1)} GiB free.`
  return freeBytes < leastFreeBytes
    ? warning(about, text, 'Make room: Kafka and SQLite stop on a full disk.')
    : fine(about, text)
}
