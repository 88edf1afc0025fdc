import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config, SourceConfig } from '../config/config.ts'
import { ChatfeedError } from '../errors.ts'
import { CallLog, inMemory, type RateLimit } from '../ingest/call-log.ts'
import { SharedBudget } from '../ingest/rate-budget.ts'
import type { Logger } from '../log.ts'
import { providersByName } from '../providers/index.ts'
import type { Provider } from '../providers/provider.ts'

/**
 * The rate budgets of a configuration: sources that the provider counts together share one, with the lowest of their
 * limits. Kept in `calls.db` under `dataDir`; where there is no `dataDir` yet and `create` is not set, in memory.
 */
export class Budgets {
  readonly #calls: CallLog
  readonly #budgets = new Map<string, SharedBudget>()

  constructor({ dataDir, sources }: Config, log: Logger, { create = true } = {}) {
    this.#calls = new CallLog(create || existsSync(dataDir) ? join(dataDir, 'calls.db') : inMemory, log)
    for (const source of sources) {
      const own = providerOf(source).rateOf(source)
      if (this.#budgets.has(own.countedBy)) continue
      const rates = sources.map((other) => providerOf(other).rateOf(other))
      const calls = rates.filter(({ countedBy }) => countedBy === own.countedBy).map((rate) => rate.calls)
      this.#budgets.set(own.countedBy, new SharedBudget(this.#calls, { ...own, calls: Math.min(...calls) }))
    }
  }

  /** Why calls are counted in memory only; null while they are not. */
  get trouble(): string | null {
    return this.#calls.trouble
  }

  /** The budget of one source of the configuration. */
  of(source: SourceConfig): SharedBudget {
    return this.#budgets.get(providerOf(source).rateOf(source).countedBy)!
  }

  /** The budget of calls for files, which providers count apart. */
  ofFiles(rate: RateLimit): SharedBudget {
    const known = this.#budgets.get(rate.countedBy)
    if (known) return known
    const budget = new SharedBudget(this.#calls, rate)
    this.#budgets.set(rate.countedBy, budget)
    return budget
  }

  close(): void {
    this.#calls.close()
  }
}

/** The provider of a source. Throws ChatfeedError for one that is not there. */
export function providerOf({ provider }: SourceConfig): Provider {
  const found = providersByName.get(provider)
  if (found) return found
  throw new ChatfeedError('fatal', 'configuration', `No provider ${provider} in this version.`)
}
