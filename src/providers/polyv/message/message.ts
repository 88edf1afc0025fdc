import { ChatfeedError } from '../../../errors.ts'
import { messageId, type MessageContent, type MessageStatus } from '../../../model.ts'
import { dataText } from '../../data-text.ts'
import { understandContent } from './content.ts'
import { objectOf, plain, readItem, word, type Fields, type Item } from './item.ts'
import { absoluteUrl, isLink } from './links.ts'
import { askedOf } from './records.ts'

/** Item keys that have a field of their own, or that tell of the transport only; all others go into `data`. */
const placed = new Set(
  (
    'id time content msgType msyType image quote roomId channelId sessionId status sourceType event ' +
    'userType user accountId acountId clientIP'
  ).split(' '),
)

/** Sockets of the service itself: it sends rewards as user 1 and custom messages as user 2 (facts: iOS and Android clients). */
const systemUids = new Set(['1', '2'])

const statuses = new Map<string, MessageStatus>([
  ['pass', 'visible'],
  ['censor', 'pending'],
  ['delete', 'deleted'],
])

/**
 * Understands one history item of any endpoint. Throws ChatfeedError `message`: `not_json`, `no_id`, `no_time`
 * or `no_room`. Where the item lacks its status, the origin tells what was asked for (see `recordOf`): from the
 * list of the reviewed and deleted it counts as `pending`, since the service does not say which of the two.
 * A status word that is new to us counts as `pending` too and stays in `data`.
 */
export function understand(
  payload: Buffer,
  tenant: string,
  origin = '',
): MessageContent & { messageId: string } {
  const item = readItem(payload, askedOf(origin))
  if (!item) throw unreadable('not_json', 'The record is no JSON object.')
  if (item.id === null) throw unreadable('no_id', 'The record has no id.')
  if (item.sentAt === null) throw unreadable('no_time', 'The record has no time in milliseconds.')
  const user = objectOf(item.fields.user) ?? {}
  const room = roomOf(item.fields, user, origin)
  if (room === null) throw unreadable('no_room', 'The record names neither room nor channel.')
  const quoted = quotedId(item.quote)
  const { kind, text, attachments, sender } = understandContent(item)
  return {
    messageId: item.id,
    conversation: { kind: 'room', id: room },
    sender: sender ? { ...senderOf(item.fields, user), ...sender } : senderOf(item.fields, user),
    recipient: null,
    sentAt: item.sentAt,
    kind,
    providerType: item.type,
    text,
    attachments,
    location: null,
    status: statuses.get(item.status) ?? 'pending',
    session: word(item.fields.sessionId) || word(user.sessionId) || null,
    refersTo: quoted && messageId('polyv', tenant, quoted),
    data: dataOf(item, user),
  }
}

function unreadable(code: string, message: string): ChatfeedError {
  return new ChatfeedError('message', code, message)
}

/** The room, else the channel; the origin's unit begins with the channel that was asked. */
function roomOf(fields: Fields, user: Fields, origin: string): string | null {
  const told = plain(fields.roomId) || plain(fields.channelId) || plain(user.roomId) || plain(user.channelId)
  return told || /^(\d+)\//.exec(origin)?.[1] || null
}

function senderOf(fields: Fields, user: Fields): MessageContent['sender'] {
  const uid = word(user.uid)
  const isSystem = systemUids.has(uid)
  const avatar = word(user.pic)
  return {
    id: word(user.userId) || (isSystem ? '' : uid) || null,
    name: word(user.nick) || word(user.nickname) || null,
    role: word(fields.userType) || word(user.userType) || (isSystem ? 'system' : null),
    avatar: avatar ? absoluteUrl(avatar) : null,
  }
}

/** The id of a quoted message: documented as a text, met as an object that may or may not hold one. */
function quotedId(quote: Item['quote']): string | null {
  if (typeof quote === 'object') return plain(quote.id) || plain(quote.msgId) || null
  return /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i.test(quote) ? quote : null
}

function dataOf(item: Item, user: Fields): string | null {
  // Entries, since a member may be called `__proto__`.
  const data: [string, unknown][] = []
  const { content, quote, event, image, scope, status, fields } = item
  if (typeof content === 'object') data.push(['content', content])
  if (quote !== '' && quote !== quotedId(quote)) data.push(['quote', quote])
  if (event) data.push(['event', event])
  if (image && !isLink(image)) data.push(['image', image])
  if (scope !== 'public') data.push(['sourceType', scope])
  if (!statuses.has(status)) data.push(['status', status])
  if (word(user.actor)) data.push(['actor', user.actor])
  for (const key in fields) if (!placed.has(key)) data.push([key, fields[key]])
  return data.length > 0 ? dataText(Object.fromEntries(data)) : null
}
