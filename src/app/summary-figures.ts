import { basename, relative } from 'node:path'
import type { Counter } from 'prom-client'
import { metrics } from '../metrics.ts'
import type { Pipeline } from './pipeline.ts'
import type { Runtime } from './runtime.ts'
import type { SummaryModel } from './summary-text.ts'
import type { Watch } from './watch.ts'

/** What the figures are taken from. */
export interface SummarySubject {
  runtime: Runtime
  pipeline: Pipeline
  watch: Watch
  metricsUrl: string | null
  demo: boolean
}

/** Takes the figures of the summary from the metrics, and rates from the difference to the last time. */
export class SummaryFigures {
  readonly #subject: SummarySubject
  readonly #startedAt = Date.now()
  #before = new Map<string, { processed: number; at: number }>()

  constructor(subject: SummarySubject) {
    this.#subject = subject
  }

  async take(): Promise<SummaryModel> {
    const { runtime, pipeline, watch, metricsUrl, demo } = this.#subject
    const [ingested, processed, duplicates, dead] = await Promise.all([
      values(metrics.ingested, 'source'),
      values(metrics.processed, 'stage'),
      values(metrics.duplicates, 'reason'),
      values(metrics.dead, 'stage'),
    ])
    const at = Date.now()
    const sources = [...pipeline.sources].map(([name, status]) => ({
      name,
      ...status,
      messages: ingested.get(name) ?? 0,
    }))
    const stages = pipeline.stages.map(({ name }) => {
      const now = processed.get(name) ?? 0
      const before = this.#before.get(name) ?? { processed: now, at: at - 1_000 }
      this.#before.set(name, { processed: now, at })
      const perSecond = Math.max(0, ((now - before.processed) * 1_000) / Math.max(1, at - before.at))
      const left = name === 'dedup' ? (duplicates.get('repeat') ?? 0) + (duplicates.get('stale') ?? 0) : 0
      return {
        name,
        processed: now,
        perSecond,
        behind: watch.lag.get(name) ?? null,
        repeats: left,
        dead: dead.get(name) ?? 0,
      }
    })
    const search = runtime.config.sinks.some(({ type }) => type === 'sqlite')
    return {
      uptimeMs: at - this.#startedAt,
      brokers: runtime.kafka.brokers.join(', '),
      demo,
      program: programName(),
      sources,
      stages,
      search,
      metricsUrl,
      troubles: watch.troubles(),
    }
  }
}

/** The values of a counter by one of its labels, summed over the others. */
async function values<Label extends string>(
  counter: Counter<Label>,
  label: Label,
): Promise<Map<string, number>> {
  const sums = new Map<string, number>()
  for (const { labels, value } of (await counter.get()).values) {
    const key = String(labels[label])
    sums.set(key, (sums.get(key) ?? 0) + value)
  }
  return sums
}

/** As the user would type it. */
function programName(): string {
  const script = process.argv[1] ?? ''
  return basename(script) === 'chatfeed' ? 'chatfeed' : `node ${relative('.', script)}`
}
