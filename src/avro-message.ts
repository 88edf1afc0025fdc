import type { AvroWriter } from './avro-writer.ts'
import {
  type Attachment,
  attachmentRoles,
  attachmentStates,
  conversationKinds,
  type Message,
  messageKinds,
  messageStatuses,
} from './model.ts'

/** Writes a message as `schemas/message.avsc` has it. */
export function writeMessage(out: AvroWriter, message: Message): void {
  out.string(message.id)
  out.int(message.revision)
  out.string(message.provider)
  out.string(message.source)
  out.string(message.tenant)
  out.string(message.messageId)
  out.string(message.origin)
  const { conversation, sender, location } = message
  out.word(conversation.kind, conversationKinds)
  out.string(conversation.id)
  out.someString(sender.id)
  out.someString(sender.name)
  out.someString(sender.role)
  out.someString(sender.avatar)
  out.someString(message.recipient)
  out.long(message.sentAt)
  out.long(message.fetchedAt)
  out.long(message.enrichedAt)
  out.word(message.kind, messageKinds)
  out.string(message.providerType)
  out.someString(message.text)
  out.array(message.attachments, writeAttachment)
  if (out.some(location)) {
    out.double(location.latitude)
    out.double(location.longitude)
    out.someString(location.address)
  }
  out.word(message.status, messageStatuses)
  out.someString(message.session)
  out.someString(message.refersTo)
  out.someString(message.data)
}

function writeAttachment(out: AvroWriter, attachment: Attachment): void {
  out.word(attachment.role, attachmentRoles)
  out.string(attachment.url)
  out.string(attachment.resolvedUrl)
  out.someString(attachment.name)
  out.someString(attachment.mimeType)
  out.someLong(attachment.size)
  out.someInt(attachment.width)
  out.someInt(attachment.height)
  out.someDouble(attachment.durationSeconds)
  out.word(attachment.state, attachmentStates)
  out.someString(attachment.sha256)
  out.someString(attachment.archiveKey)
}
