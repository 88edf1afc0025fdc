import { crc32 } from '@node-rs/crc32'
import { ChatfeedError } from '../../errors.ts'
import type { RecordSet } from '../../kafka/record-set.ts'
import type { Sink, SinkContext } from '../sink.ts'
import { ClickhouseClient } from './client.ts'
import type { ClickhouseConfig } from './config.ts'
import { literal } from './quoted.ts'
import { toLine } from './row.ts'
import { makeTables, tablesOf } from './tables.ts'

/**
 * Opens the tables of the sink, made anew where they are missing. Nothing is ever refused: ClickHouse takes every
 * message. There are no transactions: rows go first, then the position; what comes again replaces itself.
 */
export async function openClickhouseSink(config: ClickhouseConfig, context: SinkContext): Promise<Sink> {
  const { name } = config
  const { stream, messagesOf } = context
  const client = new ClickhouseClient(config)
  const { messages, positions } = tablesOf(config)
  try {
    await makeTables(client, config)
  } catch (error) {
    await client.close()
    throw error
  }
  context.log.debug({ sink: name, place: client.place, stream }, 'sink opened')

  /**
   * The same insert twice is one, as long as the server remembers it. The rows are a part of the name: with another
   * filter the same offsets are another insert.
   */
  const insertRows = async ({ topic, partition, fromOffset, nextOffset }: RecordSet, lines: string) => {
    const rows = Buffer.from(lines)
    const token = [stream, topic, partition, fromOffset, nextOffset - 1, crc32(rows)].join('-')
    const settings = {
      insert_deduplicate: 1,
      insert_deduplication_token: token,
      // Saved history can span many months.
      max_partitions_per_insert_block: 0,
    }
    await client.insert(messages, rows, settings)
  }

  /** What the store is known to have of each partition. */
  const known = new Map<number, number>()

  const storedPosition = async (partition: number): Promise<number | null> => {
    const [found] = await client.query<{ next: string | number }>(
      `select max(next_offset) as next from ${positions}
       where stream = ${literal(stream)} and partition = ${partition} having count() > 0`,
    )
    return found ? Number(found.next) : null
  }

  /**
   * Of a store that no longer has what it was known to have (restored, emptied) the position stays, or what lies between
   * would be lost.
   */
  const advance = async ({ partition, nextOffset }: RecordSet) => {
    const expected = known.get(partition)
    if (expected !== undefined && ((await storedPosition(partition)) ?? -1) < expected) {
      throw setBack(client.place, partition)
    }
    const position = { stream, partition, next_offset: nextOffset }
    await client.insert(positions, Buffer.from(JSON.stringify(position)))
    known.set(partition, Math.max(nextOffset, expected ?? 0))
  }

  return {
    name,
    type: 'clickhouse',
    async position(partition) {
      const stored = await storedPosition(partition)
      if (stored === null) known.delete(partition)
      else known.set(partition, stored)
      return stored
    },
    async write(records) {
      const fetchedAt: number[] = []
      let lines = ''
      for (const message of messagesOf(records)) {
        fetchedAt.push(message.fetchedAt)
        lines += toLine(message)
      }
      if (lines !== '') await insertRows(records, lines)
      await advance(records)
      return fetchedAt
    },
    async rows() {
      const [found] = await client.query<{ rows: string | number }>(
        `select count() as rows from ${messages} final`,
      )
      return Number(found?.rows)
    },
    close: () => client.close(),
  }
}

function setBack(place: string, partition: number): ChatfeedError {
  return new ChatfeedError(
    'transient',
    'store_set_back',
    `ClickHouse at ${place} no longer has what it was given of partition ${partition}: it is given again.`,
  )
}
