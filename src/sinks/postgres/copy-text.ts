/**
 * Values as COPY reads them in its text format: a backslash stands before what would end a field or a row, and `\N` is
 * null. What PostgreSQL cannot hold is replaced by U+FFFD, as SQLite and UTF-8 itself do it, so that nothing behind it
 * is lost.
 */

const special = /[\0\t\n\r\\]/
const specials = /[\0\t\n\r\\]/g
const escapes: Record<string, string> = {
  '\0': '\ufffd',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\\': '\\\\',
}

/** A text field. */
export function copyText(text: string | null): string {
  if (text === null) return '\\N'
  return special.test(text) ? text.replace(specials, (character) => escapes[character] ?? '') : text
}

/** A number; null where there is none. */
export const copyNumber = (value: number | undefined): string => (value === undefined ? '\\N' : String(value))

/** A field of type jsonb, from JSON text. Numbers keep their digits. */
export function copyJson(json: string | null): string {
  return json === null ? '\\N' : copyText(suspect.test(json) ? json.replace(escaped, legible) : json)
}

/** `\u0000` and halves of surrogate pairs are JSON, but not jsonb. */
const suspect = /\\u(?:0000|d[89a-f])/i
const escaped = /\\u(d[89ab][\da-f]{2})\\ud[c-f][\da-f]{2}|\\u(0000|d[89a-f][\da-f]{2})|\\./gis
const legible = (whole: string, _pair?: string, bad?: string): string =>
  bad === undefined ? whole : '\\ufffd'

/** The years 1 to 9999, which every driver can read. */
const earliest = Date.parse('0001-01-01T00:00:00Z')
const latest = Date.parse('+010000-01-01T00:00:00Z')

/** A field of type timestamptz, from epoch milliseconds. Beyond the years 1 to 9999 it is infinity. */
export function copyTime(ms: number): string {
  if (ms < earliest) return '-infinity'
  return ms < latest ? new Date(ms).toISOString() : 'infinity'
}

/** A text as it is read back from a text column. */
export const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')
