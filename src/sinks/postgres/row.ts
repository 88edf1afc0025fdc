import type { Message } from '../../model.ts'
import { copyJson, copyNumber, copyText, copyTime } from './copy-text.ts'

/** The columns of table `messages`, each as COPY reads it; `id` is the first. */
const columns: Record<string, (message: Message) => string> = {
  id: (message) => copyText(message.id),
  revision: (message) => copyNumber(message.revision),
  provider: (message) => copyText(message.provider),
  source: (message) => copyText(message.source),
  tenant: (message) => copyText(message.tenant),
  message_id: (message) => copyText(message.messageId),
  conversation_kind: (message) => message.conversation.kind,
  conversation_id: (message) => copyText(message.conversation.id),
  sender_id: (message) => copyText(message.sender.id),
  sender_name: (message) => copyText(message.sender.name),
  sender_role: (message) => copyText(message.sender.role),
  recipient: (message) => copyText(message.recipient),
  sent_at: (message) => copyTime(message.sentAt),
  kind: (message) => message.kind,
  provider_type: (message) => copyText(message.providerType),
  text: (message) => copyText(message.text),
  status: (message) => message.status,
  latitude: (message) => copyNumber(message.location?.latitude),
  longitude: (message) => copyNumber(message.location?.longitude),
  address: (message) => copyText(message.location?.address ?? null),
  session: (message) => copyText(message.session),
  refers_to: (message) => copyText(message.refersTo),
  data: (message) => copyJson(message.data),
  attachments: ({ attachments }) => (attachments.length === 0 ? '[]' : copyJson(JSON.stringify(attachments))),
  origin: (message) => copyText(message.origin),
}

/** The columns of `messages`, in the order of `toLine`. */
export const columnNames = Object.keys(columns)
const fields = Object.values(columns)

/** The line of one message for `copy messages (columnNames) from stdin`. */
export function toLine(message: Message): string {
  let line = ''
  for (const field of fields) line += (line && '\t') + field(message)
  return `${line}\n`
}
