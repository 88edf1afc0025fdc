import { ChatfeedError } from '../../errors.ts'
import type { SearchClient } from './client.ts'
import { foreignAnswer } from './failure.ts'

/** What answers at the URL. */
export interface Engine {
  name: 'OpenSearch' | 'Elasticsearch'
  version: string
}

/**
 * Asks what is there. Throws ChatfeedError `fatal` where it is no search engine, or where it does not accept the
 * credentials: before anything was written, a wrong password is likelier than a fault of the cluster.
 */
export async function findEngine(client: SearchClient): Promise<Engine> {
  const { body } = await client
    .call<{ version?: { number?: string; distribution?: string }; tagline?: string }>({
      method: 'GET',
      path: '/',
    })
    .catch((error: unknown) => {
      throw error instanceof ChatfeedError && error.code === 'search_unauthorized' ? forGood(error) : error
    })
  const { number, distribution } = body.version ?? {}
  if (number === undefined) throw foreignAnswer(client.url)
  if (distribution === 'opensearch') return { name: 'OpenSearch', version: number }
  if (body.tagline === 'You Know, for Search') return { name: 'Elasticsearch', version: number }
  throw foreignAnswer(client.url)
}

function forGood({ code, message, mend }: ChatfeedError): ChatfeedError {
  return new ChatfeedError('fatal', code, message, mend === undefined ? {} : { mend })
}
