import { suite } from 'node:test'
import { byteScenarios } from './provider/bytes.ts'
import type { ProviderCase } from './provider/case.ts'
import { checkingScenarios } from './provider/checking.ts'
import { faultScenarios } from './provider/faults.ts'
import { readingScenarios } from './provider/reading.ts'
import { stoppingScenarios } from './provider/stopping.ts'

/** The promises of the `Provider` and `Source` interfaces, for any provider, against its own sandbox over HTTP. */
export function providerSuite(providerCase: ProviderCase): void {
  // Several at once: much of it waits for clients that try again.
  suite(providerCase.name, { concurrency: 4 }, () => {
    readingScenarios(providerCase)
    faultScenarios(providerCase)
    stoppingScenarios(providerCase)
    byteScenarios(providerCase)
    checkingScenarios(providerCase)
  })
}
