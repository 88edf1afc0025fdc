import type { Codecs } from '../codecs.ts'
import { ChatfeedError, isTransient } from '../errors.ts'
import type { Outbox } from '../kafka/outbox.ts'
import type { RecordSet, RecordView } from '../kafka/record-set.ts'
import type { StageTask } from '../kafka/task.ts'
import { metrics } from '../metrics.ts'
import type { Message, RawMessage } from '../model.ts'
import type { Provider } from '../providers/provider.ts'
import { deadLetter } from './dead-letter.ts'
import { passedHeaders } from './replays.ts'

/** Topics of enrich, and who understands payloads. */
export interface EnrichOptions {
  codecs: Codecs
  messages: string
  dead: string
  providers: ReadonlyMap<string, Provider>
}

/**
 * Asks the message's own provider folder to read the payload and writes the normalised message. What cannot be
 * read goes to `dead` in the same transaction; its neighbours go on. Keeps no state.
 */
export function openEnrich(options: EnrichOptions): StageTask {
  const { rawMessage: rawMessageCodec, message: messageCodec } = options.codecs
  return {
    process(records, out) {
      const now = Date.now()
      let taken = 0
      for (const record of records) {
        taken++
        enrich(record, records, out, now)
      }
      metrics.processed.inc({ stage: 'enrich' }, taken)
    },
  }

  function enrich(record: RecordView, { topic, partition }: RecordSet, out: Outbox, now: number): void {
    const key = record.key()
    const value = record.value() ?? Buffer.alloc(0)
    let raw: RawMessage | undefined
    try {
      raw = rawMessageCodec.view(value)
      out.add(options.messages, key, messageCodec.encode(understand(raw, options.providers, now)))
      metrics.delay.observe({ stage: 'enrich' }, (now - raw.fetchedAt) / 1_000)
    } catch (cause) {
      if (isTransient(cause)) throw cause // a schema that is being asked for
      deadLetter(out, options.dead, {
        stage: 'enrich',
        key,
        value: raw?.payload ?? value,
        error: asMessageError(cause),
        topic,
        partition,
        offset: record.offset,
        passed: passedHeaders(record),
        ...(raw
          ? { origin: raw.origin, envelope: rawMessageCodec.encode({ ...raw, payload: Buffer.alloc(0) }) }
          : {}),
      })
    }
  }
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
