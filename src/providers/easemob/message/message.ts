import { ChatfeedError } from '../../../errors.ts'
import { messageId, type Conversation, type ConversationKind, type MessageContent } from '../../../model.ts'
import { dataText } from '../../data-text.ts'
import { type Body, onLines, understandBody } from './body.ts'
import type { Members } from './members.ts'
import { partMembersOf } from './parts.ts'
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
 * Nothing vanishes: what has no field, or is of no known form, is in `data`. Throws ChatfeedError `message`:
 * `not_json`, `no_message_id`, `no_timestamp`, `no_conversation`.
 */
export function understand(payload: Buffer, tenant: string): MessageContent & { messageId: string } {
  const record = readRecord(payload)
  if (record === undefined) throw unreadable('not_json', 'The record is no JSON object.')
  const { outer, payload: content, ext, bodies: written } = partMembersOf(record)
  const id = outer.take('msg_id', asId)
  if (id === null) throw unreadable('no_message_id', 'The record has no msg_id.')
  const sentAt = outer.take('timestamp', asTime)
  if (sentAt === null) throw unreadable('no_timestamp', 'The record has no timestamp.')

  const from = content.take('from', asId) ?? asId(outer.peek('from'))
  const to = content.take('to', asId) ?? asId(outer.peek('to'))
  outer.takeKnown('from', from)
  outer.takeKnown('to', to)
  const conversation = conversationOf(outer, content, from, to)
  const notice = noticeOf(outer, content, id)
  const target = notice?.target ?? quotedId(ext)
  const bodies = written.map(understandBody)
  const [first] = bodies
  const location = bodies.find((body) => body.location !== null)?.location ?? null
  dropDressing(outer, content)

  return {
    messageId: id,
    conversation,
    sender: { id: from, name: null, role: null, avatar: null },
    recipient: to,
    sentAt,
    kind: notice?.kind ?? first?.kind ?? 'other',
    providerType: first?.type ?? notice?.kind ?? '',
    text: bodies.reduce<string | null>((text, body) => onLines(text, body.text), null),
    attachments:
      first && bodies.length === 1 ? first.attachments : bodies.flatMap((body) => body.attachments),
    location,
    status: notice?.kind === 'recall' && notice.target === null ? 'deleted' : 'visible',
    session: null,
    refersTo: target === null ? null : messageId('easemob', tenant, target),
    data: dataOf(
      ext,
      bodies.map((body, index) => restOf(body, index === 0, body.location === location)),
      content.rest(),
      outer.rest(),
    ),
  }
}

/**
 * Whether the record is a recall or an edit, and of which message. A recall without a target, or of its own id,
 * is the recalled message itself; an edit of its own id is the message in its new form, so no notice.
 */
function noticeOf(
  outer: Members,
  content: Members,
  id: string,
): { kind: 'recall' | 'edit'; target: string | null } | null {
  const chatType = outer.peek('chat_type')
  const recalled = outer.take('recall_id', asId)
  if (chatType === 'recall' || recalled !== null) {
    const target = recalled ?? asId(content.peek('ack_message_id'))
    return { kind: 'recall', target: target === id ? null : target }
  }
  const target = asId(content.peek('edit_message_id'))
  const isEdit = chatType === 'edit' || content.peek('type') === 'edit' || target !== null
  return isEdit && target !== id ? { kind: 'edit', target } : null
}

/** The message that the provider's UI kit quotes. */
function quotedId(ext: unknown): string | null {
  return asId(asObject(asObject(ext)?.msgQuote)?.msgID)
}

function conversationOf(
  outer: Members,
  content: Members,
  from: string | null,
  to: string | null,
): Conversation {
  const groupId = asId(outer.peek('group_id')) ?? asId(outer.peek('groupId'))
  const kind =
    conversationKinds.get(outer.peek('chat_type')) ??
    conversationKinds.get(content.peek('type')) ??
    (groupId === null ? 'direct' : 'group')
  const users = [from, to].filter((user) => user !== null)
  // Without a comparator sort goes by code unit.
  const id = kind === 'direct' ? users.sort().join('|') : (groupId ?? to ?? '')
  if (id === '') throw unreadable('no_conversation', 'The record names no conversation.')
  outer.takeKnown('group_id', id)
  outer.takeKnown('groupId', id)
  return { kind, id }
}

/** Takes what is understood elsewhere, or says nothing about the message but how it came here. */
function dropDressing(outer: Members, content: Members): void {
  outer.take('chat_type', asChatType)
  content.take('type', asChatType)
  outer.takeKnown('type', 'chatmessage')
  outer.take('direction', asDirection)
  outer.take('uuid', asId)
  outer.take('created', asTime)
  outer.take('modified', asTime)
}

function asChatType(value: unknown): unknown {
  return conversationKinds.has(value) || value === 'recall' || value === 'edit' ? value : null
}

function asDirection(value: unknown): string | null {
  return value === 'outgoing' || value === 'incoming' ? value : null
}

/** What of a body has no field: the message has room for one type and one place. */
function restOf({ rest, type, location }: Body, isFirst: boolean, isPlace: boolean): unknown {
  const moreType = !isFirst && type !== ''
  const morePlace = location !== null && !isPlace
  if (!asObject(rest) || !(moreType || morePlace)) return rest
  return {
    ...(moreType && { type }),
    ...(morePlace && { lat: location.latitude, lng: location.longitude }),
    ...asObject(rest),
  }
}

/**
 * `{ ext, bodies, …, record }`: of each body, in order, what has no field of its own; what else the payload holds; and
 * what else stands around it.
 */
function dataOf(
  ext: unknown,
  bodies: readonly unknown[],
  payload: Json | undefined,
  record: Json | undefined,
): string | null {
  const noBodies = bodies.every((body) => unlessEmpty(body) === undefined)
  if (ext === undefined && noBodies && !payload && !record) return null
  return dataText({
    ext,
    bodies: noBodies ? undefined : bodies,
    // Its own member of that name would be hidden.
    ...(payload && 'record' in payload ? { payload } : payload),
    record,
  })
}

function unreadable(code: string, message: string): ChatfeedError {
  return new ChatfeedError('message', code, message, {
    mend: 'Look at the bytes with "chatfeed dead show" and discard or replay them.',
  })
}
