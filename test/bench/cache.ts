import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where hour files and built peers are kept between runs; git leaves it out, and it may be deleted at any time. */
export function cacheFolder(): string {
  const folder = fileURLToPath(new URL('.cache/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * A copy of the folder `sources` in which `build` has been run, kept for as long as the sources and the version stay the
 * same. It appears whole or not at all.
 */
export async function builtOnce(
  sources: string,
  version: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256').update(version)
  const files = readdirSync(sources, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
  for (const { parentPath, name } of files) hash.update(readFileSync(join(parentPath, name)))
  const folder = join(cacheFolder(), `built-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(folder)) return folder
  const part = `${folder}.part`
  rmSync(part, { recursive: true, force: true })
  cpSync(sources, part, { recursive: true })
  await build(part)
  renameSync(part, folder)
  return folder
}
