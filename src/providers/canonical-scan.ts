import { hash } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import {
  backslash,
  closeArray,
  closeObject,
  colon,
  comma,
  isDigit,
  isPlainEscape,
  isSpecial,
  JsonWalk,
  maxDepth,
  minus,
  mostDigits,
  openArray,
  openObject,
  quote,
  zero,
} from './json-walk.ts'

/** Larger records are the parser's: what is gathered fits into memory that is set aside once. */
const mostBytes = 65_536
/** Canonical text is at most three times as long as what was written; there is room for two copies of it. */
const textBytes = 9 * mostBytes + 1_024
const mostUnsorted = 64
/** Fewer bytes are copied sooner one by one than by a call. */
const callPays = 48

/**
 * Gathers the canonical text of values, as `canonicalText` writes it, in one pass over their bytes: for a fingerprint
 * without a parse. What it does not understand is answered with -1 or null; what it does answer is what parsing
 * would have given.
 */
export class CanonicalScan extends JsonWalk {
  readonly #text = Buffer.allocUnsafeSlow(textBytes)
  /** Where the members of the objects under way lie in the text: start and end of each. */
  readonly #members = new Int32Array(2_048)
  #length = 0
  #memberEnd = 0

  /** Turns to another record, whose bytes must stay as they are until the next call. False for one that is too large. */
  load(bytes: Buffer): boolean {
    this.begin(bytes)
    this.#length = 0
    this.#memberEnd = 0
    return bytes.length <= mostBytes
  }

  /** Bytes of canonical text gathered so far. */
  get length(): number {
    return this.#length
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
    const byte = this.bytes[at]
    if (byte === quote) return this.#writeString(at)
    if (byte !== openObject && byte !== openArray) return this.#writeWord(at)
    if (++this.depth > maxDepth) return -1
    const end = byte === openObject ? this.#writeObject(at) : this.#writeArray(at)
    this.depth--
    return end
  }

  /** The same for an array of one object at least and of objects only. */
  writeObjects(at: number): number {
    const bytes = this.bytes
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
    const bytes = this.bytes
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
    const bytes = this.bytes
    const text = this.#text
    let length = this.#length
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
    if (this.isProto(at)) return -1
    text[length++] = colon
    this.#length = length
    return this.colon(at)
  }

  #writeArray(at: number): number {
    const bytes = this.bytes
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
    const bytes = this.bytes
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
    const end = this.endOfString(at)
    if (end < 0) return -1
    const text = JSON.stringify(JSON.parse(this.bytes.toString('utf8', at, end)))
    this.#length += this.#text.write(text, this.#length)
    return end
  }

  #writeWord(at: number): number {
    const end = this.word(at)
    if (end < 0 || !this.#isPlainNumber(at, end)) return -1
    this.#copy(at, end)
    return end
  }

  #copy(at: number, end: number): void {
    const bytes = this.bytes
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

  /** Whether a double would be written as this number is; true for other words. */
  #isPlainNumber(at: number, end: number): boolean {
    const bytes = this.bytes
    const isNegative = bytes[at] === minus
    const start = isNegative ? at + 1 : at
    if (!isDigit(bytes[start])) return true
    const whole = this.digits(start)
    if (end - start > mostDigits) return false
    if (whole === end) return !(isNegative && bytes[start] === zero)
    // 1.50 is written 1.5, and 0.0000001 is written 1e-7.
    return bytes[end - 1] !== zero && (bytes[start] !== zero || end - whole <= 7)
  }
}
