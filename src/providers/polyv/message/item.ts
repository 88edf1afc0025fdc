import { isLosslessNumber, parseLossless } from '../../canonical.ts'
import { parseTime } from '../hours.ts'

/** The members of a JSON object, unchecked. */
export type Fields = Readonly<Record<string, unknown>>

/** What a query asked for: the only witness where an item does not tell its own status or source. */
export interface Asked {
  status: string
  scope: string
}

/** One history item with the differences between the endpoints' spellings taken away. */
export interface Item {
  /** Everything as it came. */
  fields: Fields
  id: string | null
  /** Epoch milliseconds. */
  sentAt: number | null
  /** `''` for plain talk, which the service writes as `""`, `null`, `"null"`, `"0"` or not at all. */
  type: string
  /** An object where the service gives one, as such or as JSON text; otherwise text. */
  content: Fields | string
  /** An object where there is one, as such or as JSON text; otherwise text, `''` without a quote. */
  quote: Fields | string
  image: string
  event: string
  /** `pass`, `censor` or `delete`. */
  status: string
  /** `public` or `extend`. */
  scope: string
  /** False for what only `asked` told. */
  tellsStatus: boolean
  tellsScope: boolean
}

const unasked: Asked = { status: 'pass', scope: 'public' }

/** Reads the bytes of one item; null when they are no JSON object. Without `asked` the item is taken for public and passed. */
export function readItem(payload: Buffer, asked: Asked = unasked): Item | null {
  const fields = objectOf(parseOrNull(payload.toString()))
  if (!fields) return null
  const status = word(fields.status).toLowerCase()
  const scope = word(fields.sourceType).toLowerCase()
  return {
    fields,
    id: plain(fields.id) || null,
    sentAt: timeOf(fields.time),
    type: plain(fields.msgType) || plain(fields.msyType),
    content: objectOrText(fields.content),
    quote: quoteOf(fields.quote),
    image: word(fields.image),
    event: plain(fields.event),
    status: status || asked.status,
    scope: scope || asked.scope,
    tellsStatus: status !== '',
    tellsScope: scope !== '',
  }
}

/** An object, as such or as JSON text; null for anything else. */
export function objectOf(value: unknown): Fields | null {
  if (typeof value === 'string') return /^\s*\{/.test(value) ? objectOf(parseOrNull(value)) : null
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value)
    ? (value as Fields)
    : null
}

/**
 * A short value as text: numbers keep their digits, the quotation marks of `"\"slice\""` (facts: Polyv docs,
 * V2PAGE sample) and blanks around it go, `null` in every spelling is `''`.
 */
export function word(value: unknown): string {
  if (typeof value === 'number' || isLosslessNumber(value)) return String(value)
  if (typeof value !== 'string') return ''
  const trimmed = value.trim()
  const text = trimmed.startsWith('"') ? trimmed.replace(/^"(.*)"$/, '$1') : trimmed
  return text === 'null' ? '' : text
}

/** A word for which `0` also means that there is none. */
export function plain(value: unknown): string {
  const text = word(value)
  return text === '0' ? '' : text
}

function objectOrText(value: unknown): Fields | string {
  if (Array.isArray(value)) return { items: value }
  if (typeof value === 'string' || typeof value === 'boolean') return objectOf(value) ?? String(value)
  return objectOf(value) ?? word(value)
}

/** `''` for all that stands in place of a quote: `""`, `null`, `0`, `{}`. */
function quoteOf(value: unknown): Fields | string {
  const quote = objectOrText(value)
  const isNone = typeof quote === 'string' ? plain(quote) === '' : Object.keys(quote).length === 0
  return isNone ? '' : quote
}

/** Milliseconds, as number or text; ten digits are seconds, since as milliseconds they are older than the service. */
function timeOf(value: unknown): number | null {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1e10 && value < 1e15) return value
  const text = word(value)
  if (/^[1-9]\d{9}$/.test(text)) return Number(text) * 1000
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text)
  return parseTime(text)
}

/** The value of JSON text, numbers with their digits; null when it is none. */
export function parseOrNull(text: string): unknown {
  try {
    return parseLossless(text)
  } catch {
    return null // Not JSON: the caller takes it for text, or for a record or frame that is broken.
  }
}
