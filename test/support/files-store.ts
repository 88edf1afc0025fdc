import { Readable } from 'node:stream'
import avsc from 'avsc'
import { parquetReadObjects } from 'hyparquet'
import type { Message } from '../../src/model.ts'
import type { ObjectStore } from '../../src/object-store/index.ts'
import { filesConfig } from '../../src/sinks/files/config.ts'
import { openSink, rewindSink } from '../../src/sinks/index.ts'
import type { Sink } from '../../src/sinks/sink.ts'
import type { StoredMessage, StoreUnderTest } from '../contract/sink-suite.ts'
import { sinkContext } from './sink-context.ts'

/** A message as the files have it: `data` is text or an object, times are numbers or dates. */
export type FileRow = Omit<Message, 'data' | 'sentAt'> & { data: unknown; sentAt: number | Date }

/** A sink of files as the contract suite wants it: every write is flushed. */
export function filesStore(entry: unknown, objects: ObjectStore): StoreUnderTest {
  const config = filesConfig.parse(entry)
  return {
    open: async (stream, options = {}) => {
      const { where } = options
      return flushing(await openSink({ ...config, ...(where && { where }) }, sinkContext(stream, options)))
    },
    rewind: (stream, to) => rewindSink(config, stream, to),
    revisions: () => Promise.resolve(null),
    stored: async () => newest(await readFiles(objects)),
  }
}

function flushing(sink: Sink): Sink {
  return {
    name: sink.name,
    type: sink.type,
    position: (partition) => sink.position(partition),
    write: async (records) => [
      ...(await sink.write(records)),
      ...((await sink.flush?.(records.partition)) ?? []),
    ],
    rows: () => sink.rows(),
    close: () => sink.close(),
  }
}

/** The newest revision of each id. */
function newest(rows: readonly FileRow[]): Map<string, StoredMessage> {
  const found = new Map<string, StoredMessage>()
  for (const { id, revision, text } of rows) {
    if (revision > (found.get(id)?.revision ?? 0)) found.set(id, { revision, text })
  }
  return found
}

/** Every row of every file, by readers that know nothing of chatfeed. */
export async function readFiles(objects: ObjectStore): Promise<FileRow[]> {
  const rows: FileRow[] = []
  for await (const { key } of objects.list('provider=')) rows.push(...(await readRows(objects, key)))
  return rows
}

async function readRows(objects: ObjectStore, key: string): Promise<FileRow[]> {
  const parts: Buffer[] = []
  for await (const part of await objects.get(key)) parts.push(part as Buffer)
  return rowsOf(Buffer.concat(parts), key)
}

/** The rows of a file; `name` tells its format. */
export async function rowsOf(bytes: Buffer, name: string): Promise<FileRow[]> {
  if (name.endsWith('.ndjson'))
    return bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as FileRow)
  if (name.endsWith('.avro')) {
    const rows: FileRow[] = []
    const decoder = Readable.from([bytes]).pipe(new avsc.streams.BlockDecoder())
    for await (const row of decoder) rows.push({ ...(row as FileRow) })
    return rows
  }
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  return (await parquetReadObjects({ file })) as unknown as FileRow[]
}
