import { ClickhouseClient } from './client.ts'
import type { ClickhouseConfig } from './config.ts'
import { literal } from './quoted.ts'
import { makeTables, tablesOf } from './tables.ts'

/** See `SinkType.rewind`. Emptied, the tables forget the positions of every stream, for their messages are gone too. */
export async function rewindClickhouse(
  config: ClickhouseConfig,
  stream: string,
  to: ReadonlyMap<number, number> | null,
): Promise<void> {
  const client = new ClickhouseClient(config)
  const { messages, positions } = tablesOf(config)
  try {
    await makeTables(client, config)
    if (to === null) {
      // Positions first: messages without a position are only written again.
      await client.run(`truncate table ${positions}`)
      await client.run(`truncate table ${messages}`)
      return
    }
    for (const [partition, offset] of to) {
      const higher = `stream = ${literal(stream)} and partition = ${partition} and next_offset > ${offset}`
      const found = await client.query(`select 1 from ${positions} where ${higher} limit 1`)
      if (found.length === 0) continue
      const position = { stream, partition, next_offset: offset }
      await client.insert(positions, Buffer.from(JSON.stringify(position)))
      await client.run(`alter table ${positions} delete where ${higher} settings mutations_sync = 2`)
    }
  } finally {
    await client.close()
  }
}
