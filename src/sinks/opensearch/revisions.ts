import type { RevisionReader } from '../sink.ts'
import { SearchClient } from './client.ts'
import type { OpensearchConfig } from './config.ts'
import { findCopies, refresh } from './copies.ts'
import { countBehind } from './count.ts'
import { indicesBehind } from './indices.ts'

/** Reads revisions from the index of an entry; null where the sink has not made it yet. Throws ChatfeedError. */
export async function openRevisions(config: OpensearchConfig): Promise<RevisionReader | null> {
  const { index } = config
  const client = new SearchClient(config)
  const isThere = await indicesBehind(client, index).then(
    (behind) => behind.length > 0,
    async (error: unknown) => {
      await client.close()
      throw error
    },
  )
  if (!isThere) {
    await client.close()
    return null
  }
  return {
    async of(ids) {
      if (ids.length === 0) return new Map()
      await refresh(client, index)
      const revisions = new Map<string, number>()
      for (const { id, revision } of await findCopies(client, index, ids))
        revisions.set(id, Math.max(revision, revisions.get(id) ?? 0))
      return revisions
    },
    rows: async () => (await countBehind(client, index)) ?? 0,
    close: () => client.close(),
  }
}
