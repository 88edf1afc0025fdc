import { type Operation, sendBulk } from './bulk.ts'
import type { SearchClient } from './client.ts'
import { findCopies, refresh } from './copies.ts'
import { deletion } from './operation.ts'

/**
 * With an index per month, a revision that was sent at another time than the one before lies in another month: takes the
 * older documents away. A first revision has none.
 */
export async function removeOtherCopies(
  client: SearchClient,
  alias: string,
  operations: readonly Operation[],
): Promise<void> {
  const newest = new Map<string, number>()
  const raise = ({ id, revision }: { id: string; revision: number }) =>
    newest.set(id, Math.max(revision, newest.get(id) ?? 0))
  operations.filter(({ revision }) => revision > 1).forEach(raise)
  if (newest.size === 0) return
  await refresh(client, alias)
  const copies = await findCopies(client, alias, [...newest.keys()])
  copies.forEach(raise)
  const deletions = copies.flatMap(({ id, revision, index }) => {
    const highest = newest.get(id) ?? revision
    if (revision >= highest) return []
    const lines = deletion(id, highest, index)
    return [{ id, revision: highest, lines, bytes: Buffer.byteLength(lines) }]
  })
  const [failed] = await sendBulk(client, null, deletions)
  if (failed) throw failed.error
}
