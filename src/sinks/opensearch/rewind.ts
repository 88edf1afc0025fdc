import { type SearchClient, withClient } from './client.ts'
import type { OpensearchConfig } from './config.ts'
import { refresh } from './copies.ts'
import { createPositionIndex, incarnation, indicesBehind, positionIndex } from './indices.ts'
import { type PositionDocument, Positions } from './positions.ts'

/** More than there can be: partitions of a few streams. */
const mostPositions = 10_000

/**
 * See `SinkType.rewind`. Emptied, the sink has no index any more, and the positions of every stream are forgotten. To set
 * some back, the index of positions is made anew: a version only ever grows, and that of a deleted document is remembered
 * for a while. Ended in between, it has forgotten them, and all is given again.
 */
export function rewindOpensearch(
  config: OpensearchConfig,
  stream: string,
  to: ReadonlyMap<number, number> | null,
): Promise<void> {
  return withClient(config, async (client) => {
    const { index } = config
    const positions = to && (await storedPositions(client, config))
    await remove(client, positionIndex(index))
    if (to === null) for (const name of await indicesBehind(client, index)) await remove(client, name)
    if (!positions) return
    await createPositionIndex(client, index)
    const current = await incarnation(client, config)
    if (current === null) return
    for (const { stream: of, partition, nextOffset } of positions) {
      const offset = of === stream ? Math.min(nextOffset, to?.get(partition) ?? Infinity) : nextOffset
      await new Positions(client, index, of, current).put(partition, offset)
    }
  })
}

/** The positions that count, of every stream. */
async function storedPositions(client: SearchClient, config: OpensearchConfig): Promise<PositionDocument[]> {
  const current = await incarnation(client, config)
  const index = positionIndex(config.index)
  await refresh(client, index)
  const { body } = await client.call<{ hits?: { hits: { _id: string; _source: PositionDocument }[] } }>({
    method: 'POST',
    path: `/${index}/_search?allow_partial_search_results=false`,
    body: { size: mostPositions, query: { match_all: {} } },
    expect: [404],
  })
  const found = body.hits?.hits ?? []
  return found.filter(({ _id }) => _id.startsWith(`${current}|`)).map(({ _source }) => _source)
}

async function remove(client: SearchClient, index: string): Promise<void> {
  await client.call({ method: 'DELETE', path: `/${index}`, expect: [404] })
}
