import type { RevisionReader } from '../sink.ts'
import type { PostgresConfig } from './config.ts'
import { Connections } from './connections.ts'
import { storable } from './copy-text.ts'
import { isMade } from './migrations.ts'
import { quoted } from './quoted.ts'

/**
 * Reads revisions beside a running sink. Null where there are no tables yet. Throws ChatfeedError where the database is
 * not to be reached or not ours.
 */
export async function openRevisions(config: PostgresConfig): Promise<RevisionReader | null> {
  const connections = new Connections(config)
  const messages = `${quoted(config.schema)}.messages`
  const reader: RevisionReader = {
    async of(ids) {
      const asked = new Map(ids.map((id) => [storable(id), id]))
      const { rows } = await connections.use((client) =>
        client.query<{ id: string; revision: number }>(
          `select id, revision from ${messages} where id = any($1)`,
          [[...asked.keys()]],
        ),
      )
      return new Map(rows.map(({ id, revision }) => [asked.get(id) ?? id, revision]))
    },
    async rows() {
      const { rows } = await connections.use((client) =>
        client.query<{ count: string }>(`select count(*) as count from ${messages}`),
      )
      return Number(rows[0]?.count)
    },
    close: () => connections.close(),
  }
  try {
    if (await connections.use((client) => isMade(client, config.schema))) return reader
  } catch (error) {
    await connections.close()
    throw error
  }
  await connections.close()
  return null
}

/** Messages stored; null where there are no tables yet. Throws as `openRevisions` does. */
export async function countMessages(config: PostgresConfig): Promise<number | null> {
  const reader = await openRevisions(config)
  try {
    return (await reader?.rows()) ?? null
  } finally {
    await reader?.close()
  }
}
