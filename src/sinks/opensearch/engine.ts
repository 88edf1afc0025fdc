import { ChatfeedError } from '../../errors.ts'
import type { SearchClient } from './client.ts'
import { foreignAnswer } from './failure.ts'

/** What answers at the URL. */
export interface Engine {
  name: 'OpenSearch' | 'Elasticsearch'
  version: string
}

/** What a fault of the cluster may look like later on is a wrong setting before anything was written. */
const wrongSettings = ['search_unauthorized', 'search_foreign']

/**
 * Asks what is there. Throws ChatfeedError `fatal` where it is no search engine, or where it does not accept the
 * credentials.
 */
export async function findEngine(client: SearchClient): Promise<Engine> {
  try {
    return await askEngine(client)
  } catch (error) {
    if (!(error instanceof ChatfeedError) || !wrongSettings.includes(error.code)) throw error
    const { code, message, mend } = error
    throw new ChatfeedError('fatal', code, message, mend === undefined ? {} : { mend })
  }
}

async function askEngine(client: SearchClient): Promise<Engine> {
  const { body } = await client.call<{
    version?: { number?: string; distribution?: string }
    tagline?: string
  }>({ method: 'GET', path: '/' })
  const { number, distribution } = body.version ?? {}
  if (number === undefined) throw foreignAnswer(client.url)
  if (distribution === 'opensearch') return { name: 'OpenSearch', version: number }
  if (body.tagline === 'You Know, for Search') return { name: 'Elasticsearch', version: number }
  throw foreignAnswer(client.url)
}
