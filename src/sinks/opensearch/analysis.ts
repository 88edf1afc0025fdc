import type { SearchClient } from './client.ts'
import type { OpensearchConfig } from './config.ts'
import { noAnalyzer } from './failure.ts'
import type { Analysis } from './mappings.ts'

/**
 * The best first: words of a dictionary (plugin analysis-ik, then analysis-smartcn), pairs of characters (`cjk`), single
 * characters. ik cuts documents into every word that is in them and questions into the longest ones.
 */
const known: readonly Analysis[] = [
  { analyzer: 'ik_max_word', search_analyzer: 'ik_smart' },
  { analyzer: 'smartcn' },
  { analyzer: 'cjk' },
]
const always: Analysis = { analyzer: 'standard' }

/**
 * How the texts of a new index are analysed: as configured, with `auto` by the best that the cluster has. Throws
 * ChatfeedError `fatal` where it does not have the one that is asked for.
 */
export async function findAnalysis(
  client: SearchClient,
  { analyzer }: Pick<OpensearchConfig, 'analyzer'>,
): Promise<Analysis> {
  if (analyzer !== 'auto') {
    if (!(await has(client, analyzer))) throw noAnalyzer(client.url, analyzer)
    return known.find((each) => each.analyzer === analyzer) ?? { analyzer }
  }
  for (const analysis of known) if (await has(client, analysis.analyzer)) return analysis
  return always
}

/** Whether a cluster has an analyzer of this name (facts: it answers 400 where it has none). */
async function has(client: SearchClient, analyzer: string): Promise<boolean> {
  const body = { analyzer, text: '退款' }
  const { status } = await client.call({ method: 'POST', path: '/_analyze', body, expect: [400] })
  return status === 200
}
