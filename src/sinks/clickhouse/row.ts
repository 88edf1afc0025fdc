import type { Message } from '../../model.ts'

/** ClickHouse's DateTime64 holds the years 1900 to 2299: a time beyond is the nearest that it holds. */
const earliest = Date.UTC(1900, 0, 1)
const latest = Date.UTC(2300, 0, 1) - 1

const time = (ms: number): string =>
  new Date(Math.min(Math.max(ms, earliest), latest)).toISOString().replace('T', ' ').slice(0, -1)

/** Half a surrogate pair has no place in UTF-8: U+FFFD stands for it. */
const wellFormed = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed() : value

/** The line of one message for `insert into messages format JSONEachRow`. */
export function toLine({ conversation, sender, location, ...message }: Message): string {
  const row = {
    id: message.id,
    revision: message.revision,
    provider: message.provider,
    source: message.source,
    tenant: message.tenant,
    message_id: message.messageId,
    conversation_kind: conversation.kind,
    conversation_id: conversation.id,
    sender_id: sender.id,
    sender_name: sender.name,
    sender_role: sender.role,
    recipient: message.recipient,
    sent_at: time(message.sentAt),
    kind: message.kind,
    provider_type: message.providerType,
    text: message.text,
    status: message.status,
    latitude: location?.latitude ?? null,
    longitude: location?.longitude ?? null,
    address: location?.address ?? null,
    session: message.session,
    refers_to: message.refersTo,
    data: message.data,
    attachments: JSON.stringify(message.attachments),
    origin: message.origin,
  }
  return `${JSON.stringify(row, wellFormed)}\n`
}
