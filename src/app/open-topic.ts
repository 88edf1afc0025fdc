import type { Codec } from '../avro.ts'
import type { Codecs } from '../codecs.ts'
import { resolutionIn } from '../dead/resolution.ts'
import { ChatfeedError } from '../errors.ts'
import type { RecordView } from '../kafka/record-set.ts'
import { providers } from '../providers/index.ts'
import type { RawMessage } from '../model.ts'
import type { Topics } from '../topics.ts'

/** A topic of chatfeed and how its records read for people and scripts. */
export interface ReadableTopic {
  topic: string
  decode: (record: RecordView) => Record<string, unknown>
}

/** Finds a topic by its short name (`raw.polyv`) or its full one. Throws ChatfeedError `usage`. */
export function openTopic(topics: Topics, codecs: Codecs, name: string): ReadableTopic {
  const read =
    <T extends object>(codec: Codec<T>) =>
    (record: RecordView) =>
      ({ ...codec.decode(valueOf(record)) }) as Record<string, unknown>
  const readRaw = (record: RecordView) => rawFields(codecs.rawMessage.decode(valueOf(record)))
  const known: ReadableTopic[] = [
    ...providers.map((provider) => ({ topic: topics.raw(provider.name), decode: readRaw })),
    { topic: topics.unique, decode: readRaw },
    { topic: topics.messages, decode: read(codecs.message) },
    { topic: topics.dead, decode: deadFields },
    { topic: topics.ledger, decode: read(codecs.ledgerEntry) },
    { topic: topics.unread, decode: read(codecs.unreadCount) },
    { topic: topics.attachments, decode: pendingFields },
  ]
  const prefix = topics.group('')
  const found = known.find(({ topic }) => topic === name || topic === prefix + name)
  if (found) return found
  const names = known.map(({ topic }) => topic.slice(prefix.length))
  throw new ChatfeedError('fatal', 'usage', `There is no topic ${name}.`, {
    mend: `Choose from ${names.join(', ')}.`,
  })
}

/** The payload as text, the fingerprint in hex. */
function rawFields({ payload, fingerprint, ...rest }: RawMessage): Record<string, unknown> {
  return {
    ...rest,
    fingerprint: Buffer.from(fingerprint).toString('hex'),
    payload: Buffer.from(payload).toString(),
  }
}

/** A letter, or what became of one: then the record has no payload, and `resolution` names the letter's offset. */
function deadFields(record: RecordView): Record<string, unknown> {
  const headers = [...record.headers()].filter(
    ([key]) => key !== 'chatfeed.envelope' && !key.startsWith('chatfeed.resolution'),
  )
  const told = resolutionIn(record)
  return {
    id: record.key()?.toString() ?? null,
    ...Object.fromEntries(
      headers.map(([key, value]) => [key.replace(/^chatfeed\.(error\.)?/, ''), value.toString()]),
    ),
    payload: record.value()?.toString() ?? null,
    ...(told && { resolution: { ...told.resolution, offset: told.offset } }),
  }
}

/** What is still tried of a message's attachments; only the id once nothing is. */
function pendingFields(record: RecordView): Record<string, unknown> {
  const text = record.value()?.toString() ?? '{}'
  return { id: record.key()?.toString() ?? null, ...(JSON.parse(text) as Record<string, unknown>) }
}

function valueOf(record: RecordView): Buffer {
  return record.value() ?? Buffer.alloc(0)
}
