import type { RevisionReader } from '../sink.ts'
import { ClickhouseClient } from './client.ts'
import type { ClickhouseConfig } from './config.ts'
import { literal } from './quoted.ts'
import { isMade, tablesOf } from './tables.ts'

/** Reads revisions beside a running sink. Null where there are no tables yet. Throws ChatfeedError where it cannot tell. */
export async function openRevisions(config: ClickhouseConfig): Promise<RevisionReader | null> {
  const client = new ClickhouseClient(config)
  const { messages } = tablesOf(config)
  const reader: RevisionReader = {
    async of(ids) {
      if (ids.length === 0) return new Map()
      const asked = new Map(ids.map((id) => [id.toWellFormed(), id]))
      const list = [...asked.keys()].map(literal).join()
      const rows = await client.query<{ id: string; newest: number }>(
        `select id, max(revision) as newest from ${messages} where id in (${list}) group by id`,
      )
      return new Map(rows.map(({ id, newest }) => [asked.get(id) ?? id, newest]))
    },
    async rows() {
      const [found] = await client.query<{ rows: string | number }>(
        `select count() as rows from ${messages} final`,
      )
      return Number(found?.rows)
    },
    close: () => client.close(),
  }
  try {
    if (await isMade(client, config)) return reader
  } catch (error) {
    await client.close()
    throw error
  }
  await client.close()
  return null
}

/** Messages stored; null where there are no tables yet. Throws as `openRevisions` does. */
export async function countMessages(config: ClickhouseConfig): Promise<number | null> {
  const reader = await openRevisions(config)
  try {
    return (await reader?.rows()) ?? null
  } finally {
    await reader?.close()
  }
}
