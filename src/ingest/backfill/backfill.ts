import type { Codecs } from '../../codecs.ts'
import { Connection } from '../../kafka/connection.ts'
import type { KafkaConnection } from '../../kafka/wire.ts'
import { isTransient } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { LedgerEntry } from '../../model.ts'
import type { Source, Unit } from '../../providers/provider.ts'
import { EntryWriter } from '../entry-writer.ts'
import { LedgerReader, ledgerPartition } from '../ledger.ts'
import { LentPublisher } from '../lent-publisher.ts'
import { backOffMs, leastBackOffMs, rest } from '../retry.ts'
import { type BackfillPass, type BackfillProgress, runBackfill } from './loop.ts'
import { planBackfill } from './plan.ts'

/** The range to be read, of which source, and where its records go. */
export interface BackfillOptions {
  /** Opened for the lane of the backfill. */
  source: Source
  /** Hours that start in [`fromMs`, `toMs`). */
  fromMs: number
  toMs: number
  kafka: KafkaConnection
  log: Logger
  codecs: Codecs
  rawTopic: string
  ledgerTopic: string
  signal: AbortSignal
  onProgress: (progress: BackfillProgress & { total: number }) => void
  now?: () => number
}

/** What a backfill came to. */
export interface BackfillSummary extends BackfillPass {
  /** In the range. */
  hours: number
  /** Not over yet, and so left to the running job. */
  open: Unit[]
}

/**
 * Reads the hours of a range beside the running job, or without one: publishes their records as the job does, and
 * books each hour in the ledger, which also tells where a backfill that was killed goes on. Throws what keeps it from
 * beginning.
 */
export async function backfill(options: BackfillOptions): Promise<BackfillSummary> {
  const { source, kafka, log, codecs, rawTopic, ledgerTopic, signal, now = Date.now } = options
  const connection = new Connection(kafka, log, signal)
  const publisher = new LentPublisher({
    kafka,
    log,
    codecs,
    topic: rawTopic,
    provider: source.provider,
    source: source.name,
    tenant: source.tenant,
    signal,
  })
  const writer = new EntryWriter({ kafka, log, codecs, ledgerTopic, signal })
  try {
    await connection.know([ledgerTopic], { signal })
    const partition = ledgerPartition(source.name, connection.partitions(ledgerTopic))
    const reader = new LedgerReader(connection, codecs, ledgerTopic, partition)
    const entries = new Map<string, LedgerEntry>()
    const catchUp = async (): Promise<void> => {
      for await (const entry of reader.entries(signal))
        if (entry.source === source.name) entries.set(entry.unit, entry)
    }
    await catchUp()
    const { hours, jobs } = await listHours(options, entries)
    const { due, read, gone, open } = planBackfill(hours, entries, now())
    const pass = await runBackfill(
      {
        source,
        signal,
        now,
        jobs,
        entries: () => entries,
        catchUp,
        record: (entry) => writer.put(entry),
        publishing: (unit, reading) => publisher.lend(unit, now(), reading),
        onProgress: ({ done, ...progress }) => {
          options.onProgress({ ...progress, done: read.length + done, total: read.length + due.length })
        },
      },
      due,
    )
    return {
      ...pass,
      hours: hours.length,
      skipped: read.length + pass.skipped,
      gone: [...gone, ...pass.gone],
      open,
    }
  } finally {
    await publisher.close()
    await writer.close()
    await connection.close()
  }
}

/**
 * The hours of the range, and those that are or would be the running job's. The provider may have to be asked for its
 * channels; while it is away that is tried again.
 */
async function listHours(
  { source, fromMs, toMs, signal, onProgress, now = Date.now }: BackfillOptions,
  entries: ReadonlyMap<string, LedgerEntry>,
): Promise<{ hours: Unit[]; jobs: ReadonlySet<string> }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const hours = await source.hours(fromMs, toMs, signal)
      const listed = await source.units(now(), entries, signal)
      return { hours, jobs: new Set(listed.map(({ name }) => name)) }
    } catch (error) {
      if (signal.aborted) return { hours: [], jobs: new Set() }
      if (!isTransient(error)) throw error
      const waitMs = Math.max(error.retryAfterMs ?? backOffMs(attempt), leastBackOffMs(attempt))
      const pause = { reason: error.message, untilMs: Date.now() + waitMs }
      onProgress({ done: 0, total: 0, records: 0, rest: pause })
      await rest(waitMs, signal)
    }
  }
}
