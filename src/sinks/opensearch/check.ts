import { ChatfeedError } from '../../errors.ts'
import { fault, fine, type Finding, warning } from '../../finding.ts'
import { findAnalysis } from './analysis.ts'
import { type SearchClient, withClient } from './client.ts'
import type { OpensearchConfig } from './config.ts'
import { countBehind } from './count.ts'
import { findEngine } from './engine.ts'

/** Whether the cluster answers, is well, finds Chinese words and has the index; reads it only. */
export async function checkOpensearch(config: OpensearchConfig): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    await withClient(config, async (client) => {
      const { name, version } = await findEngine(client)
      findings.push(fine('cluster', `${name} ${version} answers at ${client.url}.`))
      findings.push(await checkHealth(client))
      findings.push(await checkAnalyzer(client, config))
      findings.push(await checkIndex(client, config))
    })
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    findings.push(fault('cluster', error.message, error.mend ?? 'Look into the log of the cluster.'))
  }
  return findings
}

async function checkHealth(client: SearchClient): Promise<Finding> {
  const { body } = await client.call<{ status: string }>({
    method: 'GET',
    path: '/_cluster/health',
    expect: [408],
  })
  return body.status === 'red'
    ? warning('health', 'The cluster is red: some of its shards are away.', 'Bring its nodes back.')
    : fine('health', `The cluster is ${body.status}.`)
}

async function checkAnalyzer(client: SearchClient, config: OpensearchConfig): Promise<Finding> {
  const { analyzer } = await findAnalysis(client, config)
  if (analyzer !== 'cjk' && analyzer !== 'standard')
    return fine('analyzer', `New indices find words by ${analyzer}.`)
  return warning(
    'analyzer',
    `The cluster has no dictionary for Chinese: new indices find ${analyzer === 'cjk' ? 'pairs of' : 'single'} characters.`,
    'Install the plugin analysis-smartcn or analysis-ik on every node, then rebuild the sink.',
  )
}

async function checkIndex(client: SearchClient, { index }: OpensearchConfig): Promise<Finding> {
  const path = `/${index}/_settings/index.blocks.*?flat_settings=true`
  const { status, body } = await client.call<Record<string, { settings: Record<string, string> }>>({
    method: 'GET',
    path,
    expect: [404],
  })
  if (status === 404) return fine('index', `${index} is not there yet, up makes it.`)
  const blocked = Object.entries(body).find(([, { settings }]) => Object.values(settings).includes('true'))
  if (blocked) {
    const mend = 'Free space on the disks of the cluster, or set index.blocks of the index back.'
    return warning('index', `The index ${blocked[0]} is read-only.`, mend)
  }
  return fine('index', `${index} holds ${await countBehind(client, index)} messages.`)
}
