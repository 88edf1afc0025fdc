import type { SourceConfig } from '../config/config.ts'
import { ChatfeedError } from '../errors.ts'
import { type Lane, SharedBudget } from '../ingest/rate-budget.ts'
import { metrics } from '../metrics.ts'
import { providersByName } from '../providers/index.ts'
import type { Provider, Source } from '../providers/provider.ts'
import type { Runtime } from './runtime.ts'

/** A configured source with its provider. */
export interface ConfiguredSource {
  name: string
  provider: Provider
  /** Opens it for one kind of asker. */
  open(lane: Lane): Source
}

/** Prepares a source; all that it opens share one rate budget. Throws ChatfeedError for a provider that is not there. */
export function configuredSource(
  { log, calls }: Pick<Runtime, 'log' | 'calls'>,
  config: SourceConfig,
): ConfiguredSource {
  const { name } = config
  const provider = providersByName.get(config.provider)
  if (!provider)
    throw new ChatfeedError('fatal', 'configuration', `No provider ${config.provider} in this version.`)
  const budget = new SharedBudget(calls, provider.rateOf(config))
  const countRequest = (outcome: string) => {
    metrics.providerRequests.inc({ source: name, outcome })
  }
  return {
    name,
    provider,
    open: (lane) =>
      provider.open(config, {
        log: log.child({ source: name }),
        budget: budget.lane(lane),
        countRequest,
        now: Date.now,
      }),
  }
}
