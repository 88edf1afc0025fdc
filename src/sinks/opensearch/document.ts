import type { Message } from '../../model.ts'

/**
 * The document of a message as JSON: the columns of the SQLite sink in camelCase, attachments as objects. `data` stays
 * JSON text, so that big numbers in it keep their digits.
 */
export function toDocument(message: Message): string {
  const { conversation, sender, location } = message
  return JSON.stringify({
    id: message.id,
    revision: message.revision,
    provider: message.provider,
    source: message.source,
    tenant: message.tenant,
    messageId: message.messageId,
    conversationKind: conversation.kind,
    conversationId: conversation.id,
    senderId: sender.id,
    senderName: sender.name,
    senderRole: sender.role,
    recipient: message.recipient,
    sentAt: message.sentAt,
    kind: message.kind,
    providerType: message.providerType,
    text: message.text,
    status: message.status,
    latitude: location?.latitude ?? null,
    longitude: location?.longitude ?? null,
    address: location?.address ?? null,
    session: message.session,
    refersTo: message.refersTo,
    data: message.data,
    attachments: message.attachments,
    origin: message.origin,
  })
}
