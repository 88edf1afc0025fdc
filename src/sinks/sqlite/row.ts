import type { Message } from '../../model.ts'

type Value = string | number | null

/** The columns of table `messages` and where each comes from; `id` is the first. */
const columns: Record<string, (message: Message) => Value> = {
  id: (message) => message.id,
  revision: (message) => message.revision,
  provider: (message) => message.provider,
  source: (message) => message.source,
  tenant: (message) => message.tenant,
  message_id: (message) => message.messageId,
  conversation_kind: (message) => message.conversation.kind,
  conversation_id: (message) => message.conversation.id,
  sender_id: (message) => message.sender.id,
  sender_name: (message) => message.sender.name,
  sender_role: (message) => message.sender.role,
  recipient: (message) => message.recipient,
  sent_at: (message) => message.sentAt,
  kind: (message) => message.kind,
  provider_type: (message) => message.providerType,
  text: (message) => message.text,
  status: (message) => message.status,
  latitude: (message) => message.location?.latitude ?? null,
  longitude: (message) => message.location?.longitude ?? null,
  address: (message) => message.location?.address ?? null,
  session: (message) => message.session,
  refers_to: (message) => message.refersTo,
  data: (message) => message.data,
  attachments: (message) => JSON.stringify(message.attachments),
  origin: (message) => message.origin,
}

/** The columns of `messages`, in the order of `toRow`. */
export const columnNames = Object.keys(columns)
const sources = Object.values(columns)

/** The values of `columnNames` for one message. */
export function toRow(message: Message): Value[] {
  return sources.map((of) => {
    const value = of(message)
    return typeof value === 'string' ? storable(value) : value
  })
}

/**
 * A text as it is stored. The driver ends one at a NUL: U+FFFD stands in for it, as it does for half a surrogate pair,
 * so that nothing after it is lost.
 */
export function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text
}
