import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { SingleBar } from 'cli-progress'
import { withRuntime } from './open.ts'
import type { Runtime } from '../app/runtime.ts'
import { stopSignal } from '../app/signals.ts'
import { ledgerCodec } from '../avro.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { ChatfeedError, explain } from '../errors.ts'
import { ledgerKey } from '../ingest/ledger.ts'
import { Publisher } from '../ingest/publisher.ts'
import { Producer } from '../kafka/producer.ts'
import type { LedgerEntry } from '../model.ts'
import { providersByName } from '../providers/index.ts'

export interface ImportOptions extends CommonOptions {
  source: string
  json?: boolean
}

/** What became of one file. */
interface ImportedFile {
  file: string
  unit: string
  lines: number
  bytes: number
  reason: string | null
}

/**
 * `chatfeed import`: publishes the records of saved files into the raw topic and writes a ledger entry for each
 * file. A file that is damaged is named; the others go on.
 */
export async function importFiles(files: readonly string[], options: ImportOptions): Promise<number> {
  const signal = stopSignal()
  return withRuntime(options, async (runtime) => {
    const sourceConfig = runtime.config.sources.find(({ name }) => name === options.source)
    const provider = sourceConfig && providersByName.get(sourceConfig.provider)
    if (!sourceConfig || !provider) {
      const names = runtime.config.sources.map(({ name }) => name).join(', ')
      throw new ChatfeedError('fatal', 'usage', `There is no source ${options.source}.`, {
        mend: `Choose from ${names || 'the sources you configure'}.`,
      })
    }
    const { kafka, log, topics } = runtime
    const bar = new SingleBar({
      format: '{bar} {percentage}%  {lines} records  {name}  {eta_formatted}',
      hideCursor: true,
      noTTYOutput: false,
      stream: process.stderr,
    })
    const done: ImportedFile[] = []
    for (const file of files) {
      if (signal.aborted) break
      const publisher = await Publisher.open({
        kafka,
        log,
        topic: topics.raw(provider.name),
        provider: provider.name,
        source: sourceConfig.name,
        tenant: provider.tenantOf(sourceConfig),
      })
      const unit = `import/${file === '-' ? 'stdin' : basename(file)}`
      const startedAt = Date.now()
      let lines = 0
      try {
        const { stream, size } = openFile(file)
        bar.start(size, 0, { lines: 0, name: unit })
        stream.on('data', (chunk: Buffer) => {
          bar.increment(chunk.length, { lines })
        })
        const publish = publisher.unit(unit)
        const reading = await provider.readSaved(
          stream,
          (record) => {
            lines++
            return publish(record)
          },
          signal,
        )
        await publisher.flush()
        bar.update(bar.getTotal(), { lines })
        done.push({ file, unit, lines: reading.lines, bytes: reading.bytes, reason: null })
        await writeEntry(runtime, {
          ...entryOf(sourceConfig.name, unit, startedAt),
          ...reading,
          state: 'published',
          publishedAt: startedAt,
        })
      } catch (error) {
        const reason = explain(error)
        if (!(error instanceof ChatfeedError)) throw error
        done.push({ file, unit, lines, bytes: 0, reason })
        await publisher.flush()
        await writeEntry(runtime, {
          ...entryOf(sourceConfig.name, unit, startedAt),
          state: 'failed',
          lines,
          reason,
        })
      } finally {
        bar.stop()
        await publisher.close()
      }
    }
    process.stdout.write(options.json ? `${JSON.stringify({ files: done })}\n` : toText(done))
    return done.every(({ reason }) => reason === null) && !signal.aborted
      ? exitStatus.done
      : exitStatus.failed
  })
}

function openFile(file: string): { stream: Readable; size: number } {
  if (file === '-') return { stream: process.stdin, size: 0 }
  try {
    return { size: statSync(file).size, stream: createReadStream(file, { highWaterMark: 256 * 1024 }) }
  } catch (cause) {
    throw new ChatfeedError(
      'message',
      'no_file',
      `${file} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'}).`,
      { cause },
    )
  }
}

function entryOf(source: string, unit: string, startedAt: number): LedgerEntry {
  return {
    source,
    unit,
    state: 'pending',
    attempts: 1,
    lines: 0,
    bytes: 0,
    digest: '',
    firstTriedAt: startedAt,
    lastTriedAt: startedAt,
    publishedAt: null,
    deadline: null,
    nextLookAt: null,
    reason: null,
  }
}

/** By a plain producer: the ledger's transactional writers belong to the running ingest, which must not be fenced. */
async function writeEntry({ kafka, log, topics }: Runtime, entry: LedgerEntry): Promise<void> {
  const producer = await Producer.open(kafka, log, topics.ledger)
  try {
    await producer.add(ledgerKey(entry), ledgerCodec.encode(entry))
    await producer.flush()
  } finally {
    await producer.close()
  }
}

function toText(files: readonly ImportedFile[]): string {
  const lines = files.map(({ file, lines, reason }) =>
    reason === null ? `${file}: ${lines} records published` : `${file}: ${reason}`,
  )
  return [...lines, 'chatfeed up carries them on.', ''].join('\n')
}
