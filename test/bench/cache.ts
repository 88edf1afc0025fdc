import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where hour files and built peers are kept between runs; git leaves it out, and it may be deleted at any time. */
export function cacheFolder(): string {
  const folder = fileURLToPath(new URL('.cache/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  return folder
}
