import { fingerprintOf } from '../../canonical.ts'
import type { Identity, RawRecord } from '../../provider.ts'
import { objectOf, plain, readItem, type Asked, type Item } from './item.ts'

/**
 * Files one item. The fingerprint covers what Polyv can change or a reader must hear of again: type, content,
 * image, quote, status, source and event. It leaves out who said it and everything that comes with the
 * transport (`user`, `clientIP`, `accountId`, session, room, time), and is the same for the spellings of
 * different endpoints: JSON text or object, `""` or `null`, a status told or understood.
 */
export function identify(payload: Buffer, asked?: Asked): Identity {
  return identityOf(readItem(payload, asked), payload)
}

function identityOf(item: Item | null, payload: Buffer): Identity {
  if (!item) return { messageId: null, fingerprint: fingerprintOf(payload.toString('latin1')), sentAt: null }
  const { type, content, image, quote, status, scope, event } = item
  return {
    messageId: item.id,
    fingerprint: fingerprintOf({ type, content, image, quote, status, scope, event }),
    sentAt: item.sentAt,
  }
}

/**
 * The record of one item of an answer. Its position is the message id, so that every reading gives the same;
 * an item without an id is known by a digest of its bytes. Where an item does not tell its own status or
 * source and the query asked for other than the ordinary, the position carries what was asked, as in
 * `ID?status=censor`: the payload must stay as it came, and a message under review must not pass for visible.
 */
export function recordOf(payload: Buffer, asked: Asked): RawRecord {
  const item = readItem(payload, asked)
  const name = item?.id ?? `~${fingerprintOf(payload.toString('latin1')).toString('hex')}`
  const told = [
    ...(item && !item.tellsStatus && asked.status !== 'pass' ? [`status=${asked.status}`] : []),
    ...(item && !item.tellsScope && asked.scope !== 'public' ? [`source=${asked.scope}`] : []),
  ]
  const position = told.length > 0 ? `${name}?${told.join('&')}` : name
  return { ...identityOf(item, payload), position, payload }
}

const ordinary: Asked = { status: 'pass', scope: 'public' }

/** What the query of a record had asked for, read back from its origin; see `recordOf`. */
export function askedOf(origin: string): Asked {
  if (!origin.includes('?')) return ordinary
  const told = /\?((?:status|source)=\w+(?:&source=\w+)?)$/.exec(origin)?.[1]
  const params = new URLSearchParams(told)
  return { status: params.get('status') ?? ordinary.status, scope: params.get('source') ?? ordinary.scope }
}

/**
 * True for an item that names its channel, and neither that nor any other place it names is among `wanted`. An item
 * that does not name its channel is nobody else's for sure: a room number alone may be that of any channel.
 */
export function tellsOther(payload: Buffer, wanted: readonly string[]): boolean {
  const fields = readItem(payload)?.fields
  if (!fields) return false
  const user = objectOf(fields.user) ?? {}
  const channels = [fields.channelId, user.channelId].map(plain).filter(Boolean)
  const rooms = [fields.roomId, user.roomId].map(plain)
  return channels.length > 0 && ![...channels, ...rooms].some((place) => wanted.includes(place))
}
