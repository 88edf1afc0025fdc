import { ChatfeedError } from '../../errors.ts'
import { messageId, type Conversation, type ConversationKind, type MessageContent } from '../../model.ts'
import { stringifyLossless } from '../canonical.ts'
import { understandBody } from './body.ts'
import { asId, asObject, asTime, type Json, readRecord, unlessEmpty } from './records.ts'

/** The words of `chat_type` in files, callbacks and older tables. */
const conversationKinds = new Map<unknown, ConversationKind>([
  ['chat', 'direct'],
  ['groupchat', 'group'],
  ['group', 'group'],
  ['chatgroup', 'group'],
  ['chatroom', 'room'],
  ['room', 'room'],
])

/**
 * Understands one record of an hour file, old or new, or of the retired pull interface. `payload.from` and
 * `payload.to` stand before the outer ones, which newer docs call internal (facts: Easemob docs DOC23, DOCNEW).
 * Throws ChatfeedError `message`: `not_json`, `no_message_id`, `no_timestamp`, `no_conversation`.
 */
export function understand(payload: Buffer, tenant: string): MessageContent & { messageId: string } {
  const record = readRecord(payload)
  if (record === undefined) throw unreadable('not_json', 'The record is no JSON object.')
  const id = asId(record.msg_id)
  if (id === null) throw unreadable('no_message_id', 'The record has no msg_id.')
  const sentAt = asTime(record.timestamp)
  if (sentAt === null) throw unreadable('no_timestamp', 'The record has no timestamp.')

  const content = asObject(record.payload) ?? {}
  const from = asId(content.from) ?? asId(record.from)
  const to = asId(content.to) ?? asId(record.to)
  const list: unknown[] = Array.isArray(content.bodies) ? content.bodies : []
  const bodies = list.map((body) => understandBody(asObject(body) ?? {}))
  const texts = bodies.map((body) => body.text).filter((text) => text !== null)
  const notice = noticeOf(record, content, id)
  const target = notice?.target ?? quotedId(content)

  return {
    messageId: id,
    conversation: conversationOf(record, content, from, to),
    sender: { id: from, name: null, role: null, avatar: null },
    recipient: to,
    sentAt,
    kind: notice?.kind ?? bodies[0]?.kind ?? 'other',
    providerType: bodies[0]?.type ?? notice?.kind ?? '',
    text: texts.length > 0 ? texts.join('\n') : null,
    attachments: bodies.flatMap((body) => body.attachments),
    location: bodies.find((body) => body.location !== null)?.location ?? null,
    status: notice?.kind === 'recall' && notice.target === null ? 'deleted' : 'visible',
    session: null,
    refersTo: target === null ? null : messageId('easemob', tenant, target),
    data: dataOf(
      content,
      bodies.map((body) => body.rest),
    ),
  }
}

/**
 * Whether the record is a recall or an edit, and of which message. A recall without a target, or of its own id,
 * is the recalled message itself; an edit of its own id is the message in its new form, so no notice.
 */
function noticeOf(
  record: Json,
  content: Json,
  id: string,
): { kind: 'recall' | 'edit'; target: string | null } | null {
  if (record.chat_type === 'recall' || asId(record.recall_id) !== null) {
    const target = asId(record.recall_id) ?? asId(content.ack_message_id)
    return { kind: 'recall', target: target === id ? null : target }
  }
  const target = asId(content.edit_message_id)
  const isEdit = record.chat_type === 'edit' || content.type === 'edit' || target !== null
  return isEdit && target !== id ? { kind: 'edit', target } : null
}

/** The message that the provider's UI kit quotes. */
function quotedId(content: Json): string | null {
  return asId(asObject(asObject(content.ext)?.msgQuote)?.msgID)
}

function conversationOf(record: Json, content: Json, from: string | null, to: string | null): Conversation {
  const groupId = asId(record.group_id) ?? asId(record.groupId)
  const kind =
    conversationKinds.get(record.chat_type) ??
    conversationKinds.get(content.type) ??
    (groupId === null ? 'direct' : 'group')
  const users = [from, to].filter((user) => user !== null)
  // Without a comparator sort goes by code unit.
  const id = kind === 'direct' ? users.sort().join('|') : (groupId ?? to ?? '')
  if (id === '') throw unreadable('no_conversation', 'The record names no conversation.')
  return { kind, id }
}

/** `{ ext, bodies, … }`: of each body, in order, what has no field of its own; then what else the payload holds. */
function dataOf(content: Json, bodyRests: Json[]): string | null {
  const others = Object.entries(content).filter(
    ([key]) => !['from', 'to', 'type', 'ext', 'bodies'].includes(key),
  )
  const data = {
    ext: unlessEmpty(content.ext),
    bodies: bodyRests.some((rest) => Object.keys(rest).length > 0) ? bodyRests : undefined,
    ...Object.fromEntries(others),
  }
  const text = stringifyLossless(data)
  return text === '{}' ? null : text
}

function unreadable(code: string, message: string): ChatfeedError {
  return new ChatfeedError('message', code, message, {
    mend: 'Look at the bytes with "chatfeed dead show" and discard or replay them.',
  })
}
