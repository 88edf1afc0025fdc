import type { SearchClient } from './client.ts'

/** A document of an id. */
export interface Copy {
  id: string
  revision: number
  /** Where it lies. */
  index: string
}

/** Ids a question; an id has a second document at most for a moment, while its month changes. */
const mostIds = 1_000
const mostCopies = 5_000

interface SearchAnswer {
  hits?: { hits?: { _id: string; _version: number; _index: string }[] }
}

/** Makes what was written visible to questions. */
export async function refresh(client: SearchClient, index: string): Promise<void> {
  await client.call({ method: 'POST', path: `/${index}/_refresh`, expect: [404] })
}

/** The documents of these ids behind an alias; none where there is no alias. Sees what was written before a `refresh`. */
export async function findCopies(
  client: SearchClient,
  index: string,
  ids: readonly string[],
): Promise<Copy[]> {
  const copies: Copy[] = []
  for (let from = 0; from < ids.length; from += mostIds) {
    const { body } = await client.call<SearchAnswer>({
      method: 'POST',
      path: `/${index}/_search?allow_partial_search_results=false&filter_path=error.type,hits.hits._id,hits.hits._version,hits.hits._index`,
      body: {
        size: mostCopies,
        sort: ['_doc'],
        version: true,
        _source: false,
        query: { ids: { values: ids.slice(from, from + mostIds) } },
      },
      expect: [404],
    })
    for (const { _id, _version, _index } of body.hits?.hits ?? [])
      copies.push({ id: _id, revision: _version, index: _index })
  }
  return copies
}
