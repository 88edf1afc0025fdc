import { SingleBar } from 'cli-progress'
import { audit as auditRuntime, type AuditScope } from '../app/open-audit.ts'
import type { AuditProgress } from '../audit/progress.ts'
import { auditText } from '../audit/report-text.ts'
import { parseDuration } from '../duration.ts'
import { ChatfeedError } from '../errors.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { withRuntime } from './open.ts'
import { parseTime } from './time.ts'

/** Options of `chatfeed audit`. */
export interface AuditCommandOptions extends CommonOptions {
  source?: string
  from?: string
  to?: string
  /** A duration. */
  patience: string
  units?: boolean
  json?: boolean
}

/** `chatfeed audit`: accounts for every line of every unit; status 1 where it does not balance. */
export async function audit(options: AuditCommandOptions): Promise<number> {
  const { json = false, units = false } = options
  const scope = scopeOf(options)
  const patienceMs = patienceOf(options)
  const report = await withRuntime(options, async (runtime, signal) => {
    const bar = new ProgressBar()
    try {
      const onProgress = (progress: AuditProgress) => {
        bar.show(progress)
      }
      return await auditRuntime(runtime, scope, { patienceMs, signal, onProgress })
    } finally {
      bar.stop()
    }
  })
  const shown = { columns: process.stdout.columns || 80, color: process.stdout.isTTY, units }
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : auditText(report, shown))
  return report.balanced ? exitStatus.done : exitStatus.failed
}

function scopeOf({ source, from, to }: AuditCommandOptions): AuditScope {
  const scope = {
    ...(source !== undefined && { source }),
    ...(from !== undefined && { fromMs: parseTime(from) }),
    ...(to !== undefined && { toMs: parseTime(to) }),
  }
  if ((scope.fromMs ?? 0) < (scope.toMs ?? Infinity)) return scope
  throw new ChatfeedError('fatal', 'usage', `--from ${from} is not before --to ${to}.`, {
    mend: 'Write the earlier time first.',
  })
}

function patienceOf({ patience }: AuditCommandOptions): number {
  const ms = parseDuration(patience)
  if (ms !== null) return ms
  throw new ChatfeedError('fatal', 'usage', `${patience} is no duration.`, { mend: 'Write 30s or 5m.' })
}

/** On standard error, where that is a terminal. */
class ProgressBar {
  readonly #bar = new SingleBar({
    format: '{bar} {percentage}%  {step}',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  })
  #isStarted = false

  show({ step, done, total }: AuditProgress): void {
    if (!this.#isStarted) this.#bar.start(total, done, { step })
    this.#isStarted = true
    // What has no measure of its own leaves the bar as it is.
    if (total > 0) this.#bar.setTotal(total)
    if (total > 0) this.#bar.update(done, { step })
    else this.#bar.update({ step })
    this.#bar.render() // what follows may keep this process busy for a while
  }

  stop(): void {
    this.#bar.stop()
  }
}
