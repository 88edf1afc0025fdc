import { type AuditOptions, runAudit } from '../audit/audit.ts'
import type { AuditReport } from '../audit/report.ts'
import { sourceNamed } from '../config/source-named.ts'
import { providers, providersByName } from '../providers/index.ts'
import { gathersMs, isAskable, selectionOf, storedRevisions } from '../sinks/index.ts'
import type { Runtime } from './runtime.ts'

/** Which units an audit is about; everything where nothing is said. */
export interface AuditScope {
  source?: string
  /** Epoch ms: hours that begin in [fromMs, toMs); units that are no hours, such as imports, are left out then. */
  fromMs?: number
  toMs?: number
}

/** Audits what a configuration carries. Throws ChatfeedError `usage` for a source that is not configured. */
export function audit(
  runtime: Runtime,
  { source: only, fromMs, toMs }: AuditScope,
  rest: Pick<AuditOptions, 'patienceMs' | 'signal' | 'onProgress'>,
): Promise<AuditReport> {
  const { config, kafka, log, codecs, topics } = runtime
  const sources = new Map(config.sources.map((source) => [source.name, source]))
  const chosen = only === undefined ? undefined : sourceNamed(config, only)
  const hasRange = fromMs !== undefined || toMs !== undefined
  const startOf = (source: string, unit: string): number | null => {
    const known = sources.get(source)
    return (known && providersByName.get(known.provider)?.startOf(known, unit)) ?? null
  }
  const isInRange = (startMs: number | null) =>
    startMs !== null && startMs >= (fromMs ?? 0) && startMs < (toMs ?? Infinity)
  return runAudit({
    ...rest,
    kafka,
    log,
    codecs,
    topics,
    rawTopics: providers
      .filter(({ name }) => chosen === undefined || name === chosen.provider)
      .map(({ name }) => topics.raw(name)),
    rawTopicOf: (source) => {
      const known = sources.get(source)
      return known ? topics.raw(known.provider) : null
    },
    isAudited: (source, unit) =>
      (only === undefined || source === only) && (!hasRange || isInRange(startOf(source, unit))),
    isWhole: only === undefined && !hasRange,
    fromMs: fromMs ?? null,
    idPrefix: chosen ? `${chosen.provider}:` : '',
    sinks: config.sinks.map((sink) => ({
      name: sink.name,
      groupId: topics.group(`sink.${sink.name}`),
      open: isAskable(sink) ? () => storedRevisions(sink) : null,
      gathers: gathersMs(sink) !== null,
      selection: selectionOf(sink),
    })),
    windowMs: config.dedup.window,
  })
}
