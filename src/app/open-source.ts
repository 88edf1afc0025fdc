import type { SourceConfig } from '../config/config.ts'
import type { Lane } from '../ingest/rate-budget.ts'
import { metrics } from '../metrics.ts'
import type { Provider, Source } from '../providers/provider.ts'
import { providerOf } from './budgets.ts'
import type { Runtime } from './runtime.ts'

/** A configured source with its provider. */
export interface ConfiguredSource {
  name: string
  provider: Provider
  /** Opens it for one kind of asker; `onCall` hears of every call that it makes. */
  open(lane: Lane, onCall?: () => void): Source
}

/** Prepares a source; all that it opens share one rate budget. Throws ChatfeedError for a provider that is not there. */
export function configuredSource(
  { log, budgets }: Pick<Runtime, 'log' | 'budgets'>,
  config: SourceConfig,
): ConfiguredSource {
  const { name } = config
  const provider = providerOf(config)
  return {
    name,
    provider,
    open: (lane, onCall) =>
      provider.open(config, {
        log: log.child({ source: name }),
        budget: budgets.of(config).lane(lane),
        countRequest: (outcome) => {
          metrics.providerRequests.inc({ source: name, outcome })
          onCall?.()
        },
        now: Date.now,
      }),
  }
}
