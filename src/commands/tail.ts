import { openTopic, type ReadableTopic } from '../app/open-topic.ts'
import { withRuntime } from './open.ts'
import { stopSignal } from '../app/signals.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { printLine } from './print-line.ts'
import { parseTime } from './time.ts'
import { explain } from '../errors.ts'
import { Connection } from '../kafka/connection.ts'
import { Fetcher } from '../kafka/fetch.ts'
import { topicOffsets } from '../kafka/offsets.ts'
import type { RecordView } from '../kafka/record-set.ts'

/** Options of `chatfeed tail`. */
export interface TailOptions extends CommonOptions {
  follow?: boolean
  from?: string
  where?: string[]
}

/**
 * `chatfeed tail`: the records of a topic as JSON lines, from `--from` or the beginning, to the end at the time of
 * the call. With `--follow` it goes on, and begins at the end unless `--from` is given. A reader that goes away
 * (`| head`) ends it well.
 */
export async function tail(name: string, options: TailOptions): Promise<number> {
  const signal = stopSignal()
  const from = options.from === undefined ? undefined : parseTime(options.from)
  const conditions = (options.where ?? []).map(parseCondition)
  return withRuntime(options, async ({ kafka, log, codecs, topics }) => {
    const { topic, decode } = openTopic(topics, codecs, name)
    const connection = new Connection(kafka, log)
    try {
      await connection.know([topic])
      const ends = await topicOffsets(connection, topic, 'latest')
      const starts = await topicOffsets(connection, topic, from ?? (options.follow ? 'latest' : 'earliest'))
      const fetcher = new Fetcher(connection, { maxWaitMs: 200 })
      const left = new Set<number>()
      for (const [partition, end] of ends) {
        const found = starts.get(partition) ?? 0
        const start = found < 0 ? end : found // no record since that time
        if (options.follow || start < end) fetcher.seek(topic, partition, start)
        if (start < end) left.add(partition)
      }
      while (!signal.aborted && (options.follow || left.size > 0)) {
        for (const records of await fetcher.poll(signal)) {
          const end = ends.get(records.partition) ?? 0
          for (const record of records) {
            if (signal.aborted || (!options.follow && record.offset >= end)) break
            const value = { ...readable(record, decode), partition: records.partition, offset: record.offset }
            if (conditions.every((holds) => holds(value)))
              await printLine(process.stdout, JSON.stringify(value), signal)
          }
          if (records.nextOffset >= end) left.delete(records.partition)
        }
      }
      return exitStatus.done
    } finally {
      await connection.close()
    }
  })
}

/** What a foreign writer left there is shown as such, and does not hide what follows. */
function readable(record: RecordView, decode: ReadableTopic['decode']): Record<string, unknown> {
  try {
    return decode(record)
  } catch (error) {
    return { id: record.key()?.toString() ?? null, error: explain(error) }
  }
}

/** `conversation.kind=room`: compares as text. */
function parseCondition(text: string): (value: unknown) => boolean {
  const at = text.indexOf('=')
  const path = text.slice(0, at).split('.')
  const wanted = text.slice(at + 1)
  return (value) => {
    for (const key of path)
      value = value instanceof Object ? (value as Record<string, unknown>)[key] : undefined
    return (
      ['string', 'number', 'boolean'].includes(typeof value) &&
      `${value as string | number | boolean}` === wanted
    )
  }
}
