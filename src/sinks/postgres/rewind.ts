import type { PostgresConfig } from './config.ts'
import { Connections } from './connections.ts'
import { migrate } from './migrations.ts'
import { quoted } from './quoted.ts'

/** See `SinkType.rewind`. Emptied, the tables forget the positions of every stream, for their messages are gone too. */
export async function rewindPostgres(
  config: PostgresConfig,
  stream: string,
  to: ReadonlyMap<number, number> | null,
): Promise<void> {
  const connections = new Connections(config)
  const schema = quoted(config.schema)
  try {
    await connections.use(async (client) => {
      await migrate(client, config.schema)
      if (to === null) {
        await client.query(`truncate ${schema}.messages, ${schema}.positions`)
        return
      }
      await client.query(
        `update ${schema}.positions p set next_offset = least(p.next_offset, back.next_offset)
         from unnest($2::int[], $3::bigint[]) as back (partition, next_offset)
         where p.stream = $1 and p.partition = back.partition`,
        [stream, [...to.keys()], [...to.values()]],
      )
    })
  } finally {
    await connections.close()
  }
}
