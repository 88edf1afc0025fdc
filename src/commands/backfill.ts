import { configuredSource } from '../app/open-source.ts'
import type { Runtime } from '../app/runtime.ts'
import { ChatfeedError } from '../errors.ts'
import { backfill, type BackfillSummary } from '../ingest/backfill/backfill.ts'
import { nameRanges } from '../ingest/hour-ranges.ts'
import type { Unit } from '../providers/provider.ts'
import { ProgressDisplay } from './backfill-progress.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { withRuntime } from './open.ts'
import { sourceNamed } from '../config/source-named.ts'
import { parseTime } from './time.ts'

/** Options of `chatfeed backfill`. */
export interface BackfillOptions extends CommonOptions {
  source: string
  from: string
  to: string
  json?: boolean
}

/**
 * `chatfeed backfill`: reads past hours of a source beside the running job, with a progress bar. Ends with 1 where an
 * hour is gone or failed, or the backfill was stopped; the same command then goes on where it was.
 */
export async function backfillHours(options: BackfillOptions): Promise<number> {
  const range = parseRange(options)
  return withRuntime(options, async (runtime, signal) => {
    const summary = await run(runtime, options.source, range, signal)
    process.stdout.write(
      options.json ? `${JSON.stringify(toJson(options.source, summary))}\n` : toText(options.source, summary),
    )
    const { gone, failed, stopped, left } = summary
    const isDone = gone.length === 0 && failed.length === 0 && stopped === null && left === 0
    return isDone && !signal.aborted ? exitStatus.done : exitStatus.failed
  })
}

interface Range {
  fromMs: number
  toMs: number
}

function parseRange({ from, to }: BackfillOptions): Range {
  const range = { fromMs: parseTime(from), toMs: parseTime(to) }
  if (range.fromMs >= range.toMs)
    throw new ChatfeedError('fatal', 'usage', '--from must be before --to.', {
      mend: 'Hours are read that begin at --from or later, and before --to.',
    })
  if (range.fromMs > Date.now())
    throw new ChatfeedError('fatal', 'usage', 'The range lies in the future.', {
      mend: 'chatfeed up reads what is to come; a backfill reads past hours.',
    })
  return range
}

async function run(
  runtime: Runtime,
  name: string,
  { fromMs, toMs }: Range,
  signal: AbortSignal,
): Promise<BackfillSummary> {
  const { config, kafka, log, codecs, topics } = runtime
  const configured = configuredSource(runtime, sourceNamed(config, name))
  const source = configured.open('backfill')
  const display = new ProgressDisplay(name, process.stderr)
  try {
    return await backfill({
      source,
      fromMs,
      toMs: Math.min(toMs, Date.now()),
      kafka,
      log,
      codecs,
      rawTopic: topics.raw(configured.provider.name),
      ledgerTopic: topics.ledger,
      signal,
      onProgress: (progress) => {
        display.update(progress)
      },
    })
  } finally {
    display.stop()
    await source.close()
  }
}

const namesOf = (units: readonly Unit[]): string[] => units.map(({ name }) => name)

function toJson(source: string, { gone, open, ...summary }: BackfillSummary) {
  return { source, ...summary, gone: namesOf(gone), open: namesOf(open) }
}

function toText(source: string, summary: BackfillSummary): string {
  const { hours, read, skipped, lines, gone, open, failed, left, stopped } = summary
  const told = (units: readonly Unit[]) =>
    nameRanges(units.map(({ name, opensAt }) => ({ name, atMs: opensAt }))).map((range) => `  ${range}`)
  const text = [
    `${source}: ${read} of ${hours} hours read, ${lines} records.`,
    ...(skipped > 0 ? [`${skipped} were read before.`] : []),
    ...(gone.length > 0 ? ['Gone, the provider no longer has them:', ...told(gone)] : []),
    ...(open.length > 0 ? ['Not over yet, left to chatfeed up:', ...told(open)] : []),
    ...(failed.length > 0 ? ['Failed:', ...failed.map(({ unit, reason }) => `  ${unit}: ${reason}`)] : []),
    ...(stopped === null ? [] : [`Stopped: ${stopped}`]),
    ...(left > 0 ? [`${left} hours are left: the same command goes on from here.`] : []),
    ...(read > 0 ? ['chatfeed up carries them on.'] : []),
  ]
  return `${text.join('\n')}\n`
}
