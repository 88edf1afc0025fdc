import type { Codecs } from '../codecs.ts'
import { ChatfeedError, isTransient } from '../errors.ts'
import type { Outbox } from '../kafka/outbox.ts'
import type { RecordSet, RecordView } from '../kafka/record-set.ts'
import type { StageTask } from '../kafka/task.ts'
import { metrics } from '../metrics.ts'
import type { Message, RawMessage } from '../model.ts'
import type { Provider } from '../providers/provider.ts'
import { deadLetter } from './dead-letter.ts'
import { applied, triedIn } from './tried.ts'
import { replaysOf } from './replays.ts'

/** Topics of enrich, and who understands payloads. */
export interface EnrichOptions {
  codecs: Codecs
  messages: string
  dead: string
  providers: ReadonlyMap<string, Provider>
}

/** A record of `unique`, understood as far as it can be. */
export interface Understood {
  /** Absent where the envelope could not be opened. Its bytes are views of the record. */
  raw?: RawMessage
  /** Absent where the record is no message; `cause` says why. */
  message?: Message
  cause?: unknown
}

/**
 * Asks the message's own provider folder to read the payload and writes the normalised message. What cannot be
 * read goes to `dead` in the same transaction; its neighbours go on. Asks nobody for attachments and keeps no state.
 */
export function openEnrich(options: EnrichOptions): StageTask {
  return {
    process(records, out) {
      const now = Date.now()
      let taken = 0
      for (const record of records) {
        taken++
        const understood = understandRecord(record, options, now)
        // Asked for before the mode was changed.
        const tried = triedIn(record)
        if (tried && understood.message) understood.message.attachments = applied(understood.message, tried)
        writeUnderstood(record, records, understood, options, out, now)
      }
      metrics.processed.inc({ stage: 'enrich' }, taken)
    },
  }
}

/** What cannot be understood says why. Throws `transient` only: the schema of the value is being asked for. */
export function understandRecord(
  record: RecordView,
  { codecs, providers }: Pick<EnrichOptions, 'codecs' | 'providers'>,
  now: number,
): Understood {
  let raw: RawMessage | undefined
  try {
    raw = codecs.rawMessage.view(record.value() ?? Buffer.alloc(0))
    return { raw, message: understand(raw, providers, now) }
  } catch (cause) {
    if (isTransient(cause)) throw cause
    return raw ? { raw, cause } : { cause }
  }
}

/** Writes the message, or the letter of what is none. Returns whether it is a message. */
export function writeUnderstood(
  record: RecordView,
  { topic, partition }: RecordSet,
  { raw, message, cause: misunderstood }: Understood,
  { codecs, messages, dead }: EnrichOptions,
  out: Outbox,
  now: number,
): boolean {
  let cause = misunderstood
  const key = record.key()
  try {
    if (message) {
      out.add(messages, key, codecs.message.encode(message))
      metrics.delay.observe({ stage: 'enrich' }, (now - message.fetchedAt) / 1_000)
      return true
    }
  } catch (unfit) {
    cause = unfit
  }
  deadLetter(out, dead, {
    stage: 'enrich',
    key,
    value: raw?.payload ?? record.value() ?? Buffer.alloc(0),
    error: asMessageError(cause),
    topic,
    partition,
    offset: record.offset,
    passed: replaysOf(record),
    ...(raw
      ? { origin: raw.origin, envelope: codecs.rawMessage.encode({ ...raw, payload: Buffer.alloc(0) }) }
      : {}),
  })
  return false
}

/** The normalised form of a raw message. Throws ChatfeedError `message` when it cannot be understood. */
export function understand(
  raw: RawMessage,
  providers: ReadonlyMap<string, Provider>,
  enrichedAt = Date.now(),
): Message {
  const provider = providers.get(raw.provider)
  if (!provider)
    throw new ChatfeedError('message', 'unknown_provider', `No provider ${raw.provider} in this version.`)
  const content = provider.understand(raw.payload, raw.tenant, raw.origin)
  // Spelt out in the order of the schema: objects that spread made are slow to read, and these are read field by field.
  return {
    id: raw.id,
    revision: raw.revision,
    provider: raw.provider,
    source: raw.source,
    tenant: raw.tenant,
    messageId: content.messageId,
    origin: raw.origin,
    conversation: content.conversation,
    sender: content.sender,
    recipient: content.recipient,
    sentAt: content.sentAt,
    fetchedAt: raw.fetchedAt,
    enrichedAt,
    kind: content.kind,
    providerType: content.providerType,
    text: content.text,
    attachments: content.attachments,
    location: content.location,
    status: content.status,
    session: content.session,
    refersTo: content.refersTo,
    data: content.data,
  }
}

/** A record that trips the code over is as unreadable as one that is refused: it must not stop its neighbours for ever. */
function asMessageError(cause: unknown): ChatfeedError {
  if (cause instanceof ChatfeedError) return cause
  const what = cause instanceof Error ? cause.name : typeof cause
  return new ChatfeedError('message', 'not_understood', `The record could not be read (${what}).`, { cause })
}
