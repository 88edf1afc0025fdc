import { join } from 'node:path'
import { Archive } from '../attachments/archive.ts'
import { Resolver, type SourceFiles } from '../attachments/resolver.ts'
import type { Config, SourceConfig } from '../config/config.ts'
import { metrics } from '../metrics.ts'
import { openObjectStore } from '../object-store/index.ts'
import { providersByName } from '../providers/index.ts'
import type { TaskPlace, StageTask } from '../kafka/task.ts'
import { openEnrich } from '../stages/enrich.ts'
import { openEnrichWithFiles } from '../stages/enrich-files.ts'
import { providerOf } from './budgets.ts'
import type { Runtime } from './runtime.ts'

/** How enrich is run: with the mode of `attachments` that is configured. */
export interface Enrich {
  open(this: void, partition: number, place: TaskPlace): StageTask
  /** Absent: as much at once as any stage. */
  fetchBytes?: number
  close(this: void): Promise<void>
}

const dayMs = 86_400_000
/** No provider keeps files longer (facts: Easemob docs, chatfiles: 7 days). */
const filesKeptMs = 7 * dayMs
/** Some dozen attachments: so many are asked for side by side, and what is behind them waits for those alone. */
const fetchBytes = 64 << 10

/** Prepares enrich. Throws ChatfeedError where the archive cannot be opened. */
export async function prepareEnrich(runtime: Runtime): Promise<Enrich> {
  const { codecs, config, topics } = runtime
  const { messages, dead, unique, attachments, raw } = topics
  const options = { codecs, messages, dead, providers: providersByName }
  const { mode, timeout, retryAfter } = config.attachments
  if (mode === 'link') return { open: () => openEnrich(options), close: () => Promise.resolve() }
  const resolver = await openResolver(runtime)
  const files = {
    ...options,
    unique,
    attachments,
    raw,
    timeoutMs: timeout,
    retryAfterMs: retryAfter,
    // A later attempt is a revision for dedup, which must still know the message.
    keepMs: Math.min(filesKeptMs, config.dedup.window / 2),
    resolve: resolver.resolve.bind(resolver),
  }
  return {
    open: (_partition, place) => openEnrichWithFiles(files, place),
    fetchBytes,
    close: () => resolver.close(),
  }
}

async function openResolver(runtime: Runtime): Promise<Resolver> {
  const { config, log } = runtime
  const { mode, allowHosts, concurrency, maxBytes, archive, s3 } = config.attachments
  const store =
    mode === 'archive' && archive !== undefined
      ? await Archive.open(await openObjectStore(archive, s3), spoolFolder(config))
      : undefined
  const sources = new Map(config.sources.map((source) => [source.name, sourceFiles(runtime, source)]))
  return new Resolver({ log, sources, allowHosts, concurrency, maxBytes, ...(store && { archive: store }) })
}

/** Where files lie until they are whole. */
export function spoolFolder({ dataDir }: Config): string {
  return join(dataDir, 'spool')
}

/** How a source's files are asked for; opens no connection. */
export function sourceFiles(
  { log, budgets }: Pick<Runtime, 'log' | 'budgets'>,
  source: SourceConfig,
): SourceFiles {
  const { name } = source
  const access = providerOf(source).files(source, {
    log: log.child({ source: name }),
    budget: budgets.of(source).lane('history'),
    countRequest: (outcome) => {
      metrics.providerRequests.inc({ source: name, outcome })
    },
    now: Date.now,
  })
  const shared = access.rate && budgets.ofFiles(access.rate)
  // A later attempt takes half of the limit at most.
  return { access, budget: shared && { now: shared.lane('history'), later: shared.lane('backfill') } }
}
