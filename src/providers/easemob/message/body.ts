import { linkedAttachment } from '../../attachment.ts'
import type { Attachment, Location, MessageKind } from '../../../model.ts'
import { canonicalText } from '../../canonical.ts'
import { Members } from './members.ts'
import { asId, asNumber, asObject, type Json } from './records.ts'

/** One body of a message, understood. */
export interface Body {
  kind: MessageKind
  /** The provider's own word; `''` where it gave none. */
  type: string
  text: string | null
  attachments: Attachment[]
  location: Location | null
  /** What has no field of its own or is of no known form, without the secrets. */
  rest: unknown
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

const degreesNorth = between(-90, 90)
const degreesEast = between(-180, 180)
const seconds = between(0, Number.MAX_SAFE_INTEGER)
const bytes = whole(Number.MAX_SAFE_INTEGER)
const pixels = whole(2 ** 31 - 1)

/** Whether a value is one of the provider's words for a body. */
export function isBodyType(value: unknown): boolean {
  return typeof value === 'string' && kinds.has(value)
}

/**
 * Understands one body, of old documents or new (facts: Easemob docs SEED0, SEED1, DOC23, DOCNEW). One of an
 * unknown type keeps its text and its file and is `other`; one that is plain text is `other` with that text.
 */
export function understandBody(value: unknown): Body {
  const json = asObject(value)
  if (json === undefined) {
    const text = typeof value === 'string' ? value : null
    return { kind: 'other', type: '', text, attachments: [], location: null, rest: value }
  }
  const body = new Members(json)
  const type = body.take('type', asId) ?? ''
  const kind = isCombined(json, type) ? 'combined' : (kinds.get(type) ?? 'other')
  const location = takeLocation(body)
  const attachments = takeAttachments(body, kind)
  const text = takeText(body, kind)
  body.drop('secret', 'thumb_secret')
  const rest = body.rest() ?? {}
  return { kind, type, text, attachments, location, rest: kind === 'custom' ? withMergedExts(rest) : rest }
}

/** In the history it comes without a type, in callbacks as `txt` with a line for old clients. */
function isCombined(body: Json, type: string): boolean {
  return body.subType === 'sub_combine' || (type === '' && body.combineLevel !== undefined)
}

function takeText(body: Members, kind: MessageKind): string | null {
  if (kind === 'combined') return onLines(asId(body.peek('title')), asId(body.peek('summary')))
  return onLines(onLines(body.take('msg', asId), body.take('addr', asId)), takeFileName(body))
}

/** Both texts, one below the other; null stands for none. */
export function onLines(first: string | null, second: string | null): string | null {
  if (first === null || second === null) return first ?? second
  return `${first}\n${second}`
}

function takeFileName(body: Members): string | null {
  return body.take('filename', asId) ?? body.take('file_name', asId)
}

function takeAttachments(body: Members, kind: MessageKind): Attachment[] {
  const original = takeLink(body, 'original', 'url', 'secret')
  if (original !== null) {
    original.name = takeFileName(body)
    original.size = body.take('file_length', bytes)
    if (kind === 'audio' || kind === 'video') original.durationSeconds = body.take('length', seconds)
  }
  const preview = takeLink(body, 'thumbnail', 'thumb', 'thumb_secret')
  if (preview !== null) preview.name = body.take('thumbFilename', asId)
  // The size of a video is that of its preview picture (facts: Easemob docs SEED0).
  const pictured = kind === 'video' ? (preview ?? original) : original
  const size = asObject(body.peek('size'))
  if (pictured !== null && size !== undefined) {
    const lengths = new Members(size)
    pictured.width = lengths.take('width', pixels)
    pictured.height = lengths.take('height', pixels)
    if (lengths.rest() === undefined) body.drop('size')
  }
  if (original === null) return preview === null ? [] : [preview]
  return preview === null ? [original] : [original, preview]
}

/** Null where there is no link that can be fetched. */
function takeLink(
  body: Members,
  role: Attachment['role'],
  name: string,
  secretName: string,
): Attachment | null {
  const url = body.take(name, asLink)
  if (url === null) return null
  const secret = asId(body.peek(secretName))
  const separator = url.includes('?') ? '&' : '?'
  const resolvedUrl =
    secret === null ? url : `${url}${separator}share-secret=${encodeURIComponent(secret.toWellFormed())}`
  return linkedAttachment(url, { role, resolvedUrl })
}

function takeLocation(body: Members): Location | null {
  const latitude = degreesNorth(body.peek('lat'))
  const longitude = degreesEast(body.peek('lng'))
  if (latitude === null || longitude === null) return null
  body.drop('lat', 'lng')
  return { latitude, longitude, address: asId(body.peek('addr')) }
}

function asLink(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const link = value.startsWith('//') ? `https:${value}` : value
  return /^https?:\/\//i.test(link) && URL.canParse(link) ? link : null
}

/** Reads a number of a range. */
function between(least: number, most: number): (value: unknown) => number | null {
  return (value) => {
    const number = asNumber(value)
    return number !== null && number >= least && number <= most ? number : null
  }
}

/** Reads a whole number, such as a count, up to `most`; a broken one is rounded. */
function whole(most: number): (value: unknown) => number | null {
  const read = between(0, most)
  return (value) => {
    const number = read(value)
    return number === null ? null : Math.round(number)
  }
}

/** `customExts` as one object, whichever form it came in; the newer twin is dropped where it says the same. */
function withMergedExts({ customExts, 'v2:customExts': twin, ...rest }: Json): Json {
  const merged = mergeExts(customExts ?? twin)
  const sameTwin = customExts === undefined || canonicalText(mergeExts(twin)) === canonicalText(merged)
  return {
    ...rest,
    ...(merged !== undefined && { customExts: merged }),
    ...(!sameTwin && { 'v2:customExts': twin }),
  }
}

/** An array of one-key maps becomes one map; anything else, or a key that comes twice, stays as it is. */
function mergeExts(exts: unknown): unknown {
  if (!Array.isArray(exts)) return exts
  const entries = exts.flatMap((item) => {
    const members = Object.entries(asObject(item) ?? {})
    return members.length === 1 ? members : []
  })
  const merged = Object.fromEntries(entries)
  return Object.keys(merged).length === exts.length ? merged : exts
}
