import type { Readable } from 'node:stream'
import { ChatfeedError, explain } from '../errors.ts'
import type { LedgerEntry } from '../model.ts'
import type { Provider } from '../providers/provider.ts'
import { type PublishOptions, Publisher } from './publisher.ts'
import { newEntry } from './entry.ts'
import { EntryWriter } from './entry-writer.ts'

/** Where the records of a saved file go, and who reads it. */
export interface SavedFileOptions extends PublishOptions {
  reader: Provider
  /** When the file was fetched from the provider, epoch ms: an old copy must not win over what is known. */
  fetchedAt: number
  ledgerTopic: string
  signal: AbortSignal
  /** Called for every record published. */
  onRecord: () => void
}

/**
 * Publishes the records of a saved file into the raw topic, as the unit `import/NAME`, and writes the unit's
 * ledger entry: `published`, or `failed` with the reason for a file that could not be read to its end, of which
 * the records before the damage are published. Returns the entry. Throws what concerns Kafka.
 */
export async function importSavedFile(
  name: string,
  open: () => Readable,
  options: SavedFileOptions,
): Promise<LedgerEntry> {
  const startedAt = Date.now()
  const publisher = await Publisher.open(options)
  try {
    const entry = await readFile(name, open, publisher, options)
    await publisher.flush()
    await writeEntry({ ...entry, attempts: 1, firstTriedAt: startedAt, lastTriedAt: startedAt }, options)
    return entry
  } finally {
    await publisher.close()
  }
}

async function readFile(
  name: string,
  open: () => Readable,
  publisher: Publisher,
  options: SavedFileOptions,
): Promise<LedgerEntry> {
  const unit = `import/${name}`
  const entry = newEntry(options.source, { name: unit, deadline: null, opensAt: null })
  const publish = publisher.unit(unit, options.fetchedAt)
  let lines = 0
  try {
    const reading = await options.reader.readSaved(
      // Opened only now: a stream that nobody reads yet would throw its error at the process.
      open(),
      (record) => {
        lines++
        options.onRecord()
        return publish(record)
      },
      options.signal,
    )
    return { ...entry, ...reading, state: 'published', publishedAt: Date.now() }
  } catch (error) {
    if (!isAboutFile(error)) throw error
    return { ...entry, state: 'failed', lines, reason: explain(error) }
  }
}

/** Damage of the file, as the provider's folder or the file system tells it; anything else is not ours to book. */
function isAboutFile(error: unknown): boolean {
  if (error instanceof ChatfeedError) return error.remedy !== 'transient'
  return error instanceof Error && 'syscall' in error
}

async function writeEntry(entry: LedgerEntry, options: SavedFileOptions): Promise<void> {
  const writer = new EntryWriter(options)
  try {
    await writer.put(entry)
  } finally {
    await writer.close()
  }
}
