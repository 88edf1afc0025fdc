import { randomBytes } from 'node:crypto'
import type { Message } from '../../../src/model.ts'
import { openSink, rewindSink, storedRevisions } from '../../../src/sinks/index.ts'
import { opensearchConfig, type OpensearchConfig } from '../../../src/sinks/opensearch/config.ts'
import { exampleMessage, type StoredMessage, type StoreUnderTest } from '../../contract/sink-suite.ts'
import type { Cleanup } from '../cleanup.ts'
import { sinkContext } from '../sink-context.ts'

/** A document as it lies in the cluster. */
export interface Hit {
  _id: string
  _index: string
  _version: number
  _source: Record<string, unknown> & { text: string | null }
  highlight?: Record<string, string[]>
}

/** A call past the sink; throws where the cluster refuses. */
export async function ask<Body>(url: string, method: string, path: string, body?: unknown): Promise<Body> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer = await response.json()
  if (!response.ok)
    throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer).slice(0, 500)}`)
  return answer as Body
}

/** An entry for an index of its own, which is removed after the test. */
export function searchConfig(
  t: Cleanup,
  url: string,
  keys: Partial<OpensearchConfig> = {},
): OpensearchConfig {
  const index = `t${randomBytes(6).toString('hex')}`
  t.after(() => removeIndices(url, index))
  return opensearchConfig.parse({ name: 'words', type: 'opensearch', url, index, ...keys })
}

async function removeIndices(url: string, index: string): Promise<void> {
  const names = Object.keys(await ask<object>(url, 'GET', `/${index}*/_settings`).catch(() => ({})))
  for (const name of names) await ask(url, 'DELETE', `/${name}`)
  await fetch(`${url}/_index_template/${index}`, { method: 'DELETE' }).catch(() => undefined)
}

/** Every document behind the alias of an entry. */
export async function documents({ url, index }: OpensearchConfig): Promise<Hit[]> {
  await fetch(`${url}/${index}/_refresh`, { method: 'POST' })
  const body = { size: 5_000, version: true, query: { match_all: {} } }
  const response = await fetch(`${url}/${index}/_search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.status === 404) return []
  return ((await response.json()) as { hits: { hits: Hit[] } }).hits.hits
}

/** A message whose id no cluster takes. */
export const poison: Message = exampleMessage({ id: `easemob:acme#helpdesk:${'长'.repeat(200)}` })

/** A store for the contract suite. */
export function searchStore(config: OpensearchConfig): StoreUnderTest {
  return {
    open: (stream, options = {}) =>
      openSink({ ...config, ...(options.where && { where: options.where }) }, sinkContext(stream, options)),
    rewind: (stream, to) => rewindSink(config, stream, to),
    revisions: () => storedRevisions(config),
    stored: async () =>
      new Map(
        (await documents(config)).map(({ _id, _version, _source }): [string, StoredMessage] => [
          _id,
          { revision: _version, text: _source.text },
        ]),
      ),
    poison,
  }
}
