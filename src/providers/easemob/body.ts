import { linkedAttachment } from '../attachment.ts'
import type { Attachment, Location, MessageKind } from '../../model.ts'
import { canonicalText } from '../canonical.ts'
import { asId, asNumber, asObject, type Json } from './records.ts'

/** One of `payload.bodies`, understood. */
export interface Body {
  kind: MessageKind
  /** The provider's own word; `''` where it gave none. */
  type: string
  text: string | null
  attachments: Attachment[]
  location: Location | null
  /** What has no field of its own, without the secrets. */
  rest: Json
}

const kinds = new Map<string, MessageKind>([
  ['txt', 'text'],
  ['img', 'image'],
  ['loc', 'location'],
  ['audio', 'audio'],
  ['video', 'video'],
  ['file', 'file'],
  ['cmd', 'command'],
  ['custom', 'custom'],
  ['combine', 'combined'],
])

/** The members that have a field of their own, or that unlock one. */
const named = new Set([
  ...['type', 'msg', 'addr', 'lat', 'lng', 'url', 'filename', 'file_name', 'file_length', 'length', 'size'],
  ...['secret', 'thumb', 'thumb_secret', 'thumbFilename'],
])

/**
 * Understands one body, of old documents or new (facts: Easemob docs SEED0, SEED1, DOC23, DOCNEW). One of an
 * unknown type keeps its text and its file and is `other`.
 */
export function understandBody(body: Json): Body {
  const type = asId(body.type) ?? ''
  const kind = isCombined(body, type) ? 'combined' : (kinds.get(type) ?? 'other')
  const rest = Object.fromEntries(Object.entries(body).filter(([key]) => !named.has(key)))
  return {
    kind,
    type,
    text: textOf(body, kind),
    attachments: attachmentsOf(body, kind),
    location: locationOf(body),
    rest: kind === 'custom' ? withMergedExts(rest) : rest,
  }
}

/** In the history it comes without a type, in callbacks as `txt` with a line for old clients. */
function isCombined(body: Json, type: string): boolean {
  return body.subType === 'sub_combine' || (type === '' && body.combineLevel !== undefined)
}

function textOf(body: Json, kind: MessageKind): string | null {
  const parts =
    kind === 'combined' ? [body.title, body.summary] : [body.msg, body.addr, body.filename ?? body.file_name]
  return parts.filter((part) => typeof part === 'string' && part !== '').join('\n') || null
}

function attachmentsOf(body: Json, kind: MessageKind): Attachment[] {
  const preview = attachment('thumbnail', body.thumb, body.thumb_secret, body.thumbFilename)
  const original = attachment('original', body.url, body.secret, body.filename ?? body.file_name)
  if (original !== null) {
    original.size = count(body.file_length)
    original.durationSeconds = kind === 'audio' || kind === 'video' ? asNumber(body.length) : null
  }
  // The size of a video is that of its preview picture (facts: Easemob docs SEED0).
  const pictured = kind === 'video' ? (preview ?? original) : original
  if (pictured !== null) {
    const size = asObject(body.size)
    pictured.width = count(size?.width)
    pictured.height = count(size?.height)
  }
  return [original, preview].filter((each) => each !== null)
}

/** Null where there is no url that can be fetched. */
function attachment(
  role: Attachment['role'],
  url: unknown,
  secret: unknown,
  name: unknown,
): Attachment | null {
  if (typeof url !== 'string') return null
  const absolute = url.startsWith('//') ? `https:${url}` : url
  if (!/^https?:\/\//i.test(absolute) || !URL.canParse(absolute)) return null
  const secretText = asId(secret)
  const separator = absolute.includes('?') ? '&' : '?'
  const resolvedUrl =
    secretText === null ? absolute : `${absolute}${separator}share-secret=${encodeURIComponent(secretText)}`
  return linkedAttachment(absolute, { role, resolvedUrl, name: asId(name) })
}

function locationOf(body: Json): Location | null {
  const latitude = asNumber(body.lat)
  const longitude = asNumber(body.lng)
  return latitude === null || longitude === null ? null : { latitude, longitude, address: asId(body.addr) }
}

function count(value: unknown): number | null {
  const number = asNumber(value)
  return number !== null && number >= 0 ? Math.round(number) : null
}

/** `customExts` as one object, whichever form it came in; the newer twin is dropped where it says the same. */
function withMergedExts({ customExts, 'v2:customExts': twin, ...rest }: Json): Json {
  const merged = mergeExts(customExts ?? twin)
  const sameTwin = customExts === undefined || canonicalText(mergeExts(twin)) === canonicalText(merged)
  return { ...rest, customExts: merged, ...(!sameTwin && { 'v2:customExts': twin }) }
}

/** An array of one-key maps becomes one map; anything else, or a key that comes twice, stays as it is. */
function mergeExts(exts: unknown): unknown {
  if (!Array.isArray(exts)) return exts
  const entries = exts.flatMap((item) => Object.entries(asObject(item) ?? {}))
  const merged = Object.fromEntries(entries)
  return entries.length === exts.length && Object.keys(merged).length === entries.length ? merged : exts
}
