import { hash } from 'node:crypto'
import { isUtf8 } from 'node:buffer'

/**
 * Ordinary JSON read where it lies, in one pass and with no value made of it: positions of members, and the canonical
 * text of values (as `canonicalText` writes it) gathered for a fingerprint. It knows less than a parser and says so:
 * whatever is unusual is answered with -1 or null, and the caller parses instead. What it does answer is what
 * parsing would have given.
 */

const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const point = 0x2e
const zero = 0x30
const nine = 0x39
const colon = 0x3a
const openArray = 0x5b
const backslash = 0x5c
const closeArray = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/** Larger records are the parser's: what is gathered fits into memory that is set aside once. */
const mostBytes = 65_536
/** Canonical text is at most three times as long as what was written; there is room for two copies of it. */
const textBytes = 9 * mostBytes + 1_024
const maxDepth = 50
const protoBytes = '"__proto__"'.length
const mostUnsorted = 64
/** Fewer bytes are copied sooner one by one than by a call. */
const callPays = 48
/** A double gives back up to 15 digits as they were written. */
const mostDigits = 15

/** What may not pass unseen in a string: its end, escapes, and characters that no string may hold. */
const isSpecial = new Uint8Array(256).fill(1, 0, 0x20)
isSpecial[quote] = isSpecial[backslash] = 1

/** Takes the members of an object in their order; answers the position behind the value, or -1 to give up. */
export interface MemberVisitor {
  member(keyAt: number, keyEnd: number, valueAt: number): number
}

/** One record at a time; made once and used for all. Positions are those of the record's bytes. */
export class JsonScan {
  readonly #text = Buffer.allocUnsafeSlow(textBytes)
  /** Where the members of the objects under way lie in the text: start and end of each. */
  readonly #members = new Int32Array(2_048)
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #memberEnd = 0
  #depth = 0

  /** Turns to another record, whose bytes must stay as they are until the next call. False for one that is too large. */
  load(bytes: Buffer): boolean {
    this.#bytes = bytes
    this.#length = 0
    this.#memberEnd = 0
    this.#depth = 0
    return bytes.length <= mostBytes
  }

  /** Bytes of canonical text gathered so far. */
  get length(): number {
    return this.#length
  }

  /** First position from `at` that is not white space. */
  space(at: number): number {
    return this.#bytes[at]! > 0x20 ? at : this.#spaceFrom(at)
  }

  /** Shows every member of the object at `at` to the visitor; the position behind the object, or -1. */
  members(at: number, visitor: MemberVisitor): number {
    const bytes = this.#bytes
    if (bytes[at] !== openObject) return -1
    at = this.space(at + 1)
    if (bytes[at] === closeObject) return at + 1
    for (;;) {
      const keyEnd = this.#key(at)
      const valueAt = keyEnd < 0 ? -1 : this.#colon(keyEnd)
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
    const bytes = this.#bytes
    for (let index = 0; index < word.length; index++)
      if (bytes[at + index] !== word.charCodeAt(index)) return false
    return true
  }

  /** The text of a string of plain ASCII, one character at least; null where the value is another. */
  plainText(at: number, end: number): string | null {
    const bytes = this.#bytes
    if (bytes[at] !== quote || end - at < 3) return null
    for (let index = at + 1; index < end - 1; index++)
      if (bytes[index] === backslash || bytes[index]! > 0x7f) return null
    return bytes.toString('latin1', at + 1, end - 1)
  }

  /** A whole number of up to 15 digits, written as a number or as a text of digits alone; null where it is another. */
  wholeNumber(at: number, end: number): number | null {
    const bytes = this.#bytes
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
    const byte = this.#bytes[at]
    if (byte === quote) return this.#endOfString(at)
    if (byte !== openObject && byte !== openArray) return this.#word(at)
    if (++this.#depth > maxDepth) return -1
    const end = byte === openObject ? this.#skipObject(at) : this.#skipArray(at)
    this.#depth--
    return end
  }

  /** Gathers ASCII. */
  add(text: string): void {
    for (let index = 0; index < text.length; index++) this.#text[this.#length++] = text.charCodeAt(index)
  }

  /** Whether a stretch of the gathered text is this word. */
  isGathered(from: number, to: number, word: string): boolean {
    return to - from === word.length && this.#text.toString('latin1', from, to) === word
  }

  /** Gathers a stretch of the gathered text once more. */
  addAgain(from: number, to: number): void {
    this.#length = this.#move(this.#length, from, to)
  }

  /** Gathers the canonical text of the value at `at`; the position behind the value, or -1 where a parser has to tell. */
  write(at: number): number {
    const byte = this.#bytes[at]
    if (byte === quote) return this.#writeString(at)
    if (byte !== openObject && byte !== openArray) return this.#writeWord(at)
    if (++this.#depth > maxDepth) return -1
    const end = byte === openObject ? this.#writeObject(at) : this.#writeArray(at)
    this.#depth--
    return end
  }

  /** The same for an array of one object at least and of objects only. */
  writeObjects(at: number): number {
    const bytes = this.#bytes
    if (bytes[at] !== openArray) return -1
    this.#text[this.#length++] = openArray
    for (;;) {
      at = this.space(at + 1)
      if (bytes[at] !== openObject) return -1
      at = this.write(at)
      if (at < 0) return -1
      at = this.space(at)
      if (bytes[at] !== comma) break
      this.#text[this.#length++] = comma
    }
    if (bytes[at] !== closeArray) return -1
    this.#text[this.#length++] = closeArray
    return at + 1
  }

  /** 16 bytes: MD5 of the text gathered from `from` on; null where it is not UTF-8. */
  fingerprint(from: number): Buffer | null {
    const text = this.#text.subarray(from, this.#length)
    // A text as the answer is made in a third of the time of a buffer.
    return isUtf8(text) ? Buffer.from(hash('md5', text, 'binary'), 'binary') : null
  }

  /** In the order of the keys, whatever order they came in; one that stands twice is the parser's. */
  #writeObject(at: number): number {
    const bytes = this.#bytes
    const text = this.#text
    const members = this.#members
    const first = this.#memberEnd
    let isSorted = true
    text[this.#length++] = openObject
    at = this.space(at + 1)
    while (bytes[at] !== closeObject || this.#memberEnd > first) {
      const start = this.#length
      at = this.#writeKey(at)
      if (at < 0) return -1
      at = this.write(at)
      if (at < 0) return -1
      const member = this.#memberEnd
      if (member === members.length) return -1
      if (isSorted && member > first) isSorted = this.#compareKeys(members[member - 2]!, start) < 0
      members[member] = start
      members[member + 1] = this.#length
      this.#memberEnd = member + 2
      at = this.space(at)
      if (bytes[at] === closeObject) break
      if (bytes[at] !== comma) return -1
      text[this.#length++] = comma
      at = this.space(at + 1)
    }
    if (!isSorted && !this.#sort(first)) return -1
    this.#memberEnd = first
    text[this.#length++] = closeObject
    return at + 1
  }

  /** A key of plain ASCII and its colon; the position of the value. */
  #writeKey(at: number): number {
    const bytes = this.#bytes
    const text = this.#text
    const start = this.#length
    let length = start
    if (bytes[at++] !== quote) return -1
    text[length++] = quote
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined) return -1
      text[length++] = byte
      if (isSpecial[byte] === 0 && byte < 0x80) continue
      if (byte !== quote) return -1
      break
    }
    if (length - start === protoBytes && this.#isProto(at)) return -1
    text[length++] = colon
    this.#length = length
    return this.#colon(at)
  }

  #writeArray(at: number): number {
    const bytes = this.#bytes
    this.#text[this.#length++] = openArray
    at = this.space(at + 1)
    if (bytes[at] !== closeArray) {
      for (;;) {
        at = this.write(at)
        if (at < 0) return -1
        at = this.space(at)
        if (bytes[at] === closeArray) break
        if (bytes[at] !== comma) return -1
        this.#text[this.#length++] = comma
        at = this.space(at + 1)
      }
    }
    this.#text[this.#length++] = closeArray
    return at + 1
  }

  #writeString(at: number): number {
    const bytes = this.#bytes
    const text = this.#text
    let length = this.#length
    text[length++] = quote
    for (let next = at + 1; next < bytes.length;) {
      const byte = bytes[next++]!
      text[length++] = byte
      if (isSpecial[byte] === 0) continue
      if (byte === quote) {
        this.#length = length
        return next
      }
      const escaped = bytes[next++]
      if (byte !== backslash) return -1
      if (!isPlainEscape(escaped)) return this.#rewriteString(at)
      text[length++] = escaped
    }
    return -1
  }

  /** A string with escapes that canonical text does without. */
  #rewriteString(at: number): number {
    const end = this.#endOfString(at)
    if (end < 0) return -1
    const text = JSON.stringify(JSON.parse(this.#bytes.toString('utf8', at, end)))
    this.#length += this.#text.write(text, this.#length)
    return end
  }

  #writeWord(at: number): number {
    const end = this.#word(at)
    if (end < 0 || !this.#isPlainNumber(at, end)) return -1
    this.#copy(at, end)
    return end
  }

  #copy(at: number, end: number): void {
    const bytes = this.#bytes
    const text = this.#text
    let length = this.#length
    for (let index = at; index < end; index++) text[length++] = bytes[index]!
    this.#length = length
  }

  /** Puts the members of the object written last in the order of their keys. False where a key stands twice. */
  #sort(first: number): boolean {
    const members = this.#members
    const last = this.#memberEnd
    if (last - first > 2 * mostUnsorted) return false
    const from = members[first]!
    for (let next = first + 2; next < last; next += 2) {
      const start = members[next]!
      const end = members[next + 1]!
      let to = next
      for (; to > first; to -= 2) {
        const order = this.#compareKeys(members[to - 2]!, start)
        if (order === 0) return false
        if (order < 0) break
        members[to] = members[to - 2]!
        members[to + 1] = members[to - 1]!
      }
      members[to] = start
      members[to + 1] = end
    }
    let end = this.#length
    for (let member = first; member < last; member += 2) {
      if (member > first) this.#text[end++] = comma
      end = this.#move(end, members[member]!, members[member + 1]!)
    }
    this.#move(from, this.#length, end)
    return true
  }

  /** Copies within the gathered text; the position behind the copy. */
  #move(to: number, from: number, end: number): number {
    const text = this.#text
    if (end - from > callPays) {
      text.copyWithin(to, from, end)
      return to + end - from
    }
    while (from < end) text[to++] = text[from++]!
    return to
  }

  /** By code unit, which in ASCII is by byte; both are positions of keys in the text. */
  #compareKeys(at: number, other: number): number {
    const text = this.#text
    for (;;) {
      const byte = text[++at]!
      const otherByte = text[++other]!
      if (byte === otherByte) {
        if (byte === quote) return 0
      } else if (byte === quote) return -1
      else if (otherByte === quote) return 1
      else return byte - otherByte
    }
  }

  #skipObject(at: number): number {
    const bytes = this.#bytes
    at = this.space(at + 1)
    if (bytes[at] === closeObject) return at + 1
    for (;;) {
      const keyEnd = this.#key(at)
      const valueAt = keyEnd < 0 ? -1 : this.#colon(keyEnd)
      const end = valueAt < 0 ? -1 : this.skip(valueAt)
      if (end < 0) return -1
      at = this.space(end)
      if (bytes[at] === closeObject) return at + 1
      if (bytes[at] !== comma) return -1
      at = this.space(at + 1)
    }
  }

  #skipArray(at: number): number {
    const bytes = this.#bytes
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
  #endOfString(at: number): number {
    const bytes = this.#bytes
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
    const byte = this.#bytes[at]
    if (isPlainEscape(byte) || byte === 0x2f) return at
    if (byte !== 0x75) return -1
    for (let digit = at + 1; digit <= at + 4; digit++) if (!isHex(this.#bytes[digit])) return -1
    return at + 4
  }

  /** Position behind a key of plain ASCII. */
  #key(at: number): number {
    const bytes = this.#bytes
    if (bytes[at] !== quote) return -1
    const from = ++at
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (isSpecial[byte] === 0 && byte < 0x80) continue
      if (byte !== quote || (at - from === protoBytes - 2 && this.#isProto(at + 1))) return -1
      return at + 1
    }
    return -1
  }

  /** Whether the key before `end` is the one name that is no ordinary member of a JavaScript object. */
  #isProto(end: number): boolean {
    return this.isWord(end - protoBytes, end, '"__proto__"')
  }

  #spaceFrom(at: number): number {
    const bytes = this.#bytes
    let byte = bytes[at]
    while (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) byte = bytes[++at]
    return at
  }

  /** Position of the value behind a key. */
  #colon(at: number): number {
    at = this.space(at)
    return this.#bytes[at] === colon ? this.space(at + 1) : -1
  }

  /** Position behind null, true, false or a number without an exponent. */
  #word(at: number): number {
    const bytes = this.#bytes
    const start = bytes[at] === minus ? at + 1 : at
    const first = bytes[start]
    if (isDigit(first)) {
      let end = this.#digits(start)
      if (first === zero && end > start + 1) return -1
      if (bytes[end] === point) {
        const fraction = end + 1
        end = this.#digits(fraction)
        if (end === fraction) return -1
      }
      return bytes[end] === 0x65 || bytes[end] === 0x45 ? -1 : end
    }
    if (this.isWord(at, at + 4, 'null') || this.isWord(at, at + 4, 'true')) return at + 4
    return this.isWord(at, at + 5, 'false') ? at + 5 : -1
  }

  /** Whether a double would be written as this number is; true for other words. */
  #isPlainNumber(at: number, end: number): boolean {
    const bytes = this.#bytes
    const isNegative = bytes[at] === minus
    const start = isNegative ? at + 1 : at
    if (!isDigit(bytes[start])) return true
    const whole = this.#digits(start)
    if (end - start > mostDigits) return false
    if (whole === end) return !(isNegative && bytes[start] === zero)
    // 1.50 is written 1.5, and 0.0000001 is written 1e-7.
    return bytes[end - 1] !== zero && (bytes[start] !== zero || end - whole <= 7)
  }

  #digits(at: number): number {
    while (isDigit(this.#bytes[at])) at++
    return at
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine
}

/** A character behind a backslash that canonical text escapes in the same way: " \ b f n r t. */
function isPlainEscape(byte: number | undefined): byte is number {
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
