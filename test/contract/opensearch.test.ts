import { searchConfig, searchStore } from '../support/stores/opensearch-store.ts'
import { startSearchDouble } from '../support/stores/opensearch-double.ts'
import { sinkSuite } from './sink-suite.ts'

// Real servers are at the level `stores`, with the same suite.
for (const perMonth of [false, true]) {
  sinkSuite(perMonth ? 'opensearch (double, by month)' : 'opensearch (double)', async (t) => {
    const double = await startSearchDouble(t)
    return {
      ...searchStore(searchConfig(t, double.url, { perMonth })),
      outage: { begin: () => double.stop(), end: () => double.start() },
    }
  })
}
