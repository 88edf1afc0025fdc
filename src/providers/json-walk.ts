/**
 * Ordinary JSON walked where it lies, with no value made of it. It knows less than a parser and says so: whatever is
 * unusual – an exponent, a key beyond plain ASCII, deep nesting – is answered with -1 or null, and the caller
 * parses instead. What is walked over is JSON.
 */

/** Bytes that mean something in JSON. */
export const quote = 0x22
export const comma = 0x2c
export const minus = 0x2d
export const point = 0x2e
export const zero = 0x30
export const nine = 0x39
export const colon = 0x3a
export const openArray = 0x5b
export const backslash = 0x5c
export const closeArray = 0x5d
export const openObject = 0x7b
export const closeObject = 0x7d

/** Deeper nesting is unusual. */
export const maxDepth = 50
/** A double gives back up to 15 digits as they were written. */
export const mostDigits = 15

const proto = '"__proto__"'

/** 1 for what may not pass unseen in a string: its end, escapes, and characters that no string may hold. */
export const isSpecial = new Uint8Array(256).fill(1, 0, 0x20)
isSpecial[quote] = isSpecial[backslash] = 1

/** Takes the members of an object in their order; answers the position behind the value, or -1 to give up. */
export interface MemberVisitor {
  member(keyAt: number, keyEnd: number, valueAt: number): number
}

/** One record at a time; made once and used for all. Positions are those of the record's bytes. */
export class JsonWalk {
  protected bytes: Buffer = Buffer.alloc(0)
  protected depth = 0
  readonly #skipping: MemberVisitor = { member: (_keyAt, _keyEnd, valueAt) => this.skip(valueAt) }

  /** Turns to another record, whose bytes must stay as they are until the next call. */
  begin(bytes: Buffer): void {
    this.bytes = bytes
    this.depth = 0
  }

  /** First position from `at` that is not white space. */
  space(at: number): number {
    return this.bytes[at]! > 0x20 ? at : this.#spaceFrom(at)
  }

  /** Shows every member of the object at `at` to the visitor; the position behind the object, or -1. */
  members(at: number, visitor: MemberVisitor): number {
    const bytes = this.bytes
    if (bytes[at] !== openObject) return -1
    at = this.space(at + 1)
    if (bytes[at] === closeObject) return at + 1
    for (;;) {
      const keyEnd = this.#key(at)
      const valueAt = keyEnd < 0 ? -1 : this.colon(keyEnd)
      if (valueAt < 0) return -1
      const end = visitor.member(at + 1, keyEnd - 1, valueAt)
      if (end < 0) return -1
      at = this.space(end)
      if (bytes[at] === closeObject) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.space(at + 1)
    }
  }

  /** Whether the bytes from `at` to `end` are this word in ASCII. */
  isWord(at: number, end: number, word: string): boolean {
    if (end - at !== word.length) return false
    const bytes = this.bytes
    for (let index = 0; index < word.length; index++)
      if (bytes[at + index] !== word.charCodeAt(index)) return false
    return true
  }

  /** The text of a string of plain ASCII, one character at least; null where the value is another. */
  plainText(at: number, end: number): string | null {
    const bytes = this.bytes
    if (bytes[at] !== quote || end - at < 3) return null
    for (let index = at + 1; index < end - 1; index++)
      if (bytes[index] === backslash || bytes[index]! > 0x7f) return null
    return bytes.toString('latin1', at + 1, end - 1)
  }

  /** A whole number of up to 15 digits, written as a number or as a text of digits alone; null where it is another. */
  wholeNumber(at: number, end: number): number | null {
    const bytes = this.bytes
    const isText = bytes[at] === quote
    const from = isText ? at + 1 : at
    const to = isText ? end - 1 : end
    if (to === from || to - from > mostDigits) return null
    let number = 0
    for (let index = from; index < to; index++) {
      const digit = bytes[index]! - zero
      if (digit < 0 || digit > 9) return null
      number = number * 10 + digit
    }
    return number
  }

  /** Position behind the value at `at`; -1 where it is no ordinary JSON. */
  skip(at: number): number {
    const byte = this.bytes[at]
    if (byte === quote) return this.endOfString(at)
    if (byte !== openObject && byte !== openArray) return this.word(at)
    if (++this.depth > maxDepth) return -1
    const end = byte === openObject ? this.members(at, this.#skipping) : this.#skipArray(at)
    this.depth--
    return end
  }

  #skipArray(at: number): number {
    const bytes = this.bytes
    at = this.space(at + 1)
    if (bytes[at] === closeArray) return at + 1
    for (;;) {
      const end = this.skip(at)
      if (end < 0) return -1
      at = this.space(end)
      if (bytes[at] === closeArray) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.space(at + 1)
    }
  }

  /** Position behind a string; -1 where it has no end or holds what no string may. */
  protected endOfString(at: number): number {
    const bytes = this.bytes
    for (at++; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (isSpecial[byte] === 0) continue
      if (byte === quote) return at + 1
      if (byte !== backslash || (at = this.#endOfEscape(at + 1)) < 0) return -1
    }
    return -1
  }

  /** Position of the last byte of an escape. */
  #endOfEscape(at: number): number {
    const byte = this.bytes[at]
    if (isPlainEscape(byte) || byte === 0x2f) return at
    if (byte !== 0x75) return -1
    for (let digit = at + 1; digit <= at + 4; digit++) if (!isHex(this.bytes[digit])) return -1
    return at + 4
  }

  /** Position behind a key of plain ASCII. */
  #key(at: number): number {
    const bytes = this.bytes
    if (bytes[at] !== quote) return -1
    at++
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (isSpecial[byte] === 0 && byte < 0x80) continue
      if (byte !== quote || this.isProto(at + 1)) return -1
      return at + 1
    }
    return -1
  }

  /** Whether the key before `end` is the one name that is no ordinary member of a JavaScript object. */
  protected isProto(end: number): boolean {
    return this.isWord(end - proto.length, end, proto)
  }

  #spaceFrom(at: number): number {
    const bytes = this.bytes
    let byte = bytes[at]
    while (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) byte = bytes[++at]
    return at
  }

  /** Position of the value behind a key. */
  protected colon(at: number): number {
    at = this.space(at)
    return this.bytes[at] === colon ? this.space(at + 1) : -1
  }

  /** Position behind null, true, false or a number without an exponent. */
  protected word(at: number): number {
    const bytes = this.bytes
    const start = bytes[at] === minus ? at + 1 : at
    const first = bytes[start]
    if (isDigit(first)) {
      let end = this.digits(start)
      if (first === zero && end > start + 1) return -1
      if (bytes[end] === point) {
        const fraction = end + 1
        end = this.digits(fraction)
        if (end === fraction) return -1
      }
      return bytes[end] === 0x65 || bytes[end] === 0x45 ? -1 : end
    }
    if (this.isWord(at, at + 4, 'null') || this.isWord(at, at + 4, 'true')) return at + 4
    return this.isWord(at, at + 5, 'false') ? at + 5 : -1
  }

  protected digits(at: number): number {
    while (isDigit(this.bytes[at])) at++
    return at
  }
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine
}

/** A character behind a backslash that canonical text escapes in the same way: " \ b f n r t. */
export function isPlainEscape(byte: number | undefined): byte is number {
  switch (byte) {
    case 0x22:
    case 0x5c:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true
    default:
      return false
  }
}

function isHex(byte: number | undefined): boolean {
  return byte !== undefined && /[0-9a-f]/i.test(String.fromCharCode(byte))
}
