import { type SearchClient, withClient } from './client.ts'
import type { OpensearchConfig } from './config.ts'
import { refresh } from './copies.ts'

/** Messages stored by the sink of an entry; null where it has not made its index yet. Throws ChatfeedError. */
export function countDocuments(config: OpensearchConfig): Promise<number | null> {
  return withClient(config, (client) => countBehind(client, config.index))
}

/** Documents behind an alias, with all that was written before; null while there is no alias. */
export async function countBehind(client: SearchClient, index: string): Promise<number | null> {
  await refresh(client, index)
  const path = `/${index}/_count?allow_no_indices=false`
  const { status, body } = await client.call<{ count: number; _shards?: { failed: number } }>({
    method: 'GET',
    path,
    expect: [404],
  })
  return status === 404 ? null : body.count
}
