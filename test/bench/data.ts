import { createWriteStream, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { hourLines } from './lines.ts'
import { cacheFolder } from './cache.ts'

/** Part of the file names: another number whenever lines.ts makes other lines. */
const edition = 1
const seed = 2_026

/** A saved hour file, and how often each message stands in it. */
export interface HourFile {
  path: string
  lines: number
  /** Bytes of the text, not of the file. */
  bytes: number
  /** By message number, counted from the first. */
  counts: Uint8Array
  distinct: number
}

/** The gz file of an hour with so many lines, messages numbered from `first`; made once and kept in the cache folder. */
export async function hourFile(lines: number, say: (text: string) => void, first = 0): Promise<HourFile> {
  const path = join(cacheFolder(), `hour-${first}-${lines}-${edition}.gz`)
  if (!existsSync(path) || !existsSync(`${path}.counts`)) {
    say(`making an hour file of ${lines} lines`)
    await make(lines, path, first)
  }
  const { counts, bytes } = JSON.parse(readFileSync(`${path}.counts`, 'utf8')) as {
    counts: string
    bytes: number
  }
  const array = Uint8Array.from(Buffer.from(counts, 'base64'))
  return { path, lines, bytes, counts: array, distinct: array.length }
}

async function make(lines: number, path: string, first: number): Promise<void> {
  const counts = new Uint8Array(lines)
  let distinct = 0
  let bytes = 0
  function* chunks(): Generator<Buffer> {
    let chunk = ''
    for (const { number, text } of hourLines(lines, seed, first)) {
      distinct = Math.max(distinct, number - first + 1)
      counts[number - first]!++
      chunk += `${text}\n`
      if (chunk.length < 1 << 18) continue
      yield take()
    }
    yield take()

    function take(): Buffer {
      const buffer = Buffer.from(chunk)
      bytes += buffer.length
      chunk = ''
      return buffer
    }
  }
  const gzip = createGzip({ chunkSize: 1 << 18 })
  await pipeline(Readable.from(chunks()), gzip, createWriteStream(`${path}.part`))
  renameSync(`${path}.part`, path)
  const text = Buffer.from(counts.subarray(0, distinct)).toString('base64')
  writeFileSync(`${path}.counts`, JSON.stringify({ bytes, counts: text }))
}
