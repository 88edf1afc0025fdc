import {
  backslash,
  closeArray,
  closeObject,
  colon,
  comma,
  openArray,
  openObject,
  quote,
} from './json-walk.ts'

/**
 * Finds values inside JSON bytes without parsing or copying them, so that an item leaves an answer exactly as
 * it came. Only strings, escapes and nesting are understood: invalid UTF-8 and broken content pass through.
 * Every function takes a position and tells the position behind what it read; -1 means that the bytes end
 * before the value does or that the structure is broken.
 */

/** First position from `at` that is not white space (a byte-order mark counts as white space). */
export function skipSpace(bytes: Uint8Array, at: number): number {
  while (at < bytes.length) {
    const byte = bytes[at]!
    if (byte === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3
    else if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) at++
    else break
  }
  return at
}

function endOfString(bytes: Uint8Array, at: number): number {
  for (at++; at < bytes.length; at++) {
    if (bytes[at] === backslash) at++
    else if (bytes[at] === quote) return at + 1
  }
  return -1
}

function endOfNested(bytes: Uint8Array, at: number): number {
  let depth = 0
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === quote) {
      at = endOfString(bytes, at)
      if (at < 0) return -1
      continue
    }
    at++
    if (byte === openObject || byte === openArray) depth++
    else if (byte === closeObject || byte === closeArray) {
      if (--depth === 0) return at
    }
  }
  return -1
}

/** End of a number, `true`, `null` or of a stretch that is no JSON at all; the end of the bytes ends it too. */
function endOfWord(bytes: Uint8Array, at: number): number {
  const start = at
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === comma || byte === closeArray || byte === closeObject || byte === 0x0a) break
  }
  while (at > start && (bytes[at - 1] === 0x20 || bytes[at - 1] === 0x0d || bytes[at - 1] === 0x09)) at--
  return at > start ? at : -1
}

/** Position behind the value that starts at `at` (which is not white space). */
export function endOfValue(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) return -1
  if (byte === quote) return endOfString(bytes, at)
  if (byte === openObject || byte === openArray) return endOfNested(bytes, at)
  return endOfWord(bytes, at)
}

/** Slices of the elements of the array that is `bytes`; null when it is no whole array. */
export function elementsOf(bytes: Buffer): Buffer[] | null {
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== openArray) return null
  const elements: Buffer[] = []
  at = skipSpace(bytes, at + 1)
  if (bytes[at] === closeArray) return elements
  for (;;) {
    const end = endOfValue(bytes, at)
    if (end < 0) return null
    elements.push(bytes.subarray(at, end))
    at = skipSpace(bytes, end)
    if (bytes[at] === closeArray) return elements
    if (bytes[at] !== comma) return null
    at = skipSpace(bytes, at + 1)
  }
}

/** Slices of the members of the object that is `bytes`, the last of equal names; null when it is no whole object. */
export function membersOf(bytes: Buffer): Map<string, Buffer> | null {
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== openObject) return null
  const members = new Map<string, Buffer>()
  at = skipSpace(bytes, at + 1)
  if (bytes[at] === closeObject) return members
  for (;;) {
    if (bytes[at] !== quote) return null
    const endOfName = endOfString(bytes, at)
    if (endOfName < 0) return null
    const name = bytes.toString('utf8', at + 1, endOfName - 1)
    at = skipSpace(bytes, endOfName)
    if (bytes[at] !== colon) return null
    at = skipSpace(bytes, at + 1)
    const end = endOfValue(bytes, at)
    if (end < 0) return null
    members.set(name, bytes.subarray(at, end))
    at = skipSpace(bytes, end)
    if (bytes[at] === closeObject) return members
    if (bytes[at] !== comma) return null
    at = skipSpace(bytes, at + 1)
  }
}

/** Slices of the items of an answer, found by the keys that lead to their array; null when there is none. */
export function itemsOf(body: Buffer, itemsAt: readonly string[]): Buffer[] | null {
  let value: Buffer | undefined = body
  for (const key of itemsAt) {
    value = value && membersOf(value)?.get(key)
  }
  return value ? elementsOf(value) : null
}
