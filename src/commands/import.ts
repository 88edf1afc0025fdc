import { accessSync, constants, createReadStream, type ReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { SingleBar } from 'cli-progress'
import { providerOf } from '../app/budgets.ts'
import type { Runtime } from '../app/runtime.ts'
import { importSavedFile } from '../ingest/saved-file.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { withRuntime } from './open.ts'
import { sourceNamed } from '../config/source-named.ts'

/** Options of `chatfeed import`. */
export interface ImportOptions extends CommonOptions {
  source: string
  json?: boolean
}

/** What became of one file. */
interface ImportedFile {
  file: string
  lines: number
  bytes: number
  /** Null when the file was read to its end. */
  reason: string | null
}

/**
 * `chatfeed import`: publishes the records of saved files into the raw topic, with a progress bar a file. A file
 * that is damaged or missing is named; the others go on.
 */
export async function importFiles(files: readonly string[], options: ImportOptions): Promise<number> {
  return withRuntime(options, async (runtime, signal) => {
    const done: ImportedFile[] = []
    for (const file of files)
      if (!signal.aborted) done.push(await importFile(file, options.source, runtime, signal))
    process.stdout.write(options.json ? `${JSON.stringify({ files: done })}\n` : toText(done))
    return done.every(({ reason }) => reason === null) && !signal.aborted
      ? exitStatus.done
      : exitStatus.failed
  })
}

async function importFile(
  file: string,
  sourceName: string,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<ImportedFile> {
  const { kafka, log, codecs, topics, config } = runtime
  const sourceConfig = sourceNamed(config, sourceName)
  const reader = providerOf(sourceConfig)
  const name = file === '-' ? 'stdin' : basename(file)
  const format = '{bar} {percentage}%  {records} records  {name}  {eta_formatted}'
  const bar = new SingleBar({ format, hideCursor: true, stream: process.stderr })
  let stream: ReadStream | undefined
  let records = 0
  const show = () => {
    bar.update(stream?.bytesRead ?? 0, { records })
  }
  const open = () =>
    file === '-' ? process.stdin : (stream = createReadStream(file, { highWaterMark: 256 * 1024 }))
  const size = file === '-' ? 0 : sizeOf(file)
  if (typeof size === 'string') return { file, lines: 0, bytes: 0, reason: size }
  bar.start(size, 0, { records, name })
  try {
    const { lines, bytes, reason } = await importSavedFile(name, open, {
      kafka,
      log,
      codecs,
      topic: topics.raw(reader.name),
      ledgerTopic: topics.ledger,
      provider: reader.name,
      source: sourceName,
      tenant: reader.tenantOf(sourceConfig),
      reader,
      signal,
      fetchedAt: file === '-' ? Date.now() : Math.floor(statSync(file).mtimeMs),
      onRecord: () => {
        if (++records % 1_000 === 0) show()
      },
    })
    show()
    return { file, lines, bytes, reason }
  } finally {
    bar.stop()
  }
}

/** Bytes of a file, or why it cannot be read. */
function sizeOf(file: string): number | string {
  try {
    accessSync(file, constants.R_OK)
    const stats = statSync(file)
    return stats.isDirectory() ? 'is a folder: name the files in it' : stats.size
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`
  }
}

function toText(files: readonly ImportedFile[]): string {
  const lines = files.map(({ file, lines, reason }) => `${file}: ${reason ?? `${lines} records published`}`)
  return [...lines, 'chatfeed up carries them on.', ''].join('\n')
}
