const shortest = 16 * 1024
/** Most characters of a string whose length is told by one byte. */
const shortString = 63
/** The largest number that avsc takes for an Avro long. */
const mostLong = 2 ** 53 - 2

/**
 * Writes Avro values one behind the other into a buffer that grows. What does not fit its type is not written, and
 * `fits` tells so from then on: the bytes are worth nothing. Half a surrogate pair that stands alone becomes U+FFFD,
 * since it has no UTF-8.
 */
export class AvroWriter {
  fits = true
  readonly #start: number
  #bytes = Buffer.allocUnsafe(shortest)
  #at: number

  /** Every value begins with `head`. */
  constructor(head: Buffer) {
    this.#start = head.copy(this.#bytes)
    this.#at = this.#start
  }

  /** Begins a value; what was taken before is overwritten. */
  begin(): void {
    this.fits = true
    this.#at = this.#start
  }

  /** Head and all that was written since `begin`; valid until the next value. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  int(value: number): void {
    if (value !== (value | 0)) this.fits = false
    else this.#number(value)
  }

  long(value: number): void {
    if (!Number.isInteger(value) || value > mostLong || value < -mostLong) this.fits = false
    else this.#number(value)
  }

  double(value: number): void {
    if (typeof value !== 'number') this.fits = false
    else {
      this.#reserve(8)
      this.#at = this.#bytes.writeDoubleLE(value, this.#at)
    }
  }

  string(value: string): void {
    if (typeof value !== 'string') {
      this.fits = false
      return
    }
    const { length } = value
    if (length > shortString) return this.#text(value)
    this.#reserve(1 + length)
    const bytes = this.#bytes
    const start = this.#at + 1
    for (let index = 0; index < length; index++) {
      const unit = value.charCodeAt(index)
      if (unit > 0x7f) return this.#text(value)
      bytes[start + index] = unit
    }
    bytes[this.#at] = length * 2
    this.#at = start + length
  }

  bytes(value: Buffer): void {
    if (!Buffer.isBuffer(value)) {
      this.fits = false
      return
    }
    this.#number(value.length)
    this.#append(value)
  }

  fixed(value: Buffer, size: number): void {
    if (!Buffer.isBuffer(value) || value.length !== size) this.fits = false
    else this.#append(value)
  }

  /** A word of an enumeration. */
  word(value: string, words: readonly string[]): void {
    const place = words.indexOf(value)
    if (place < 0) this.fits = false
    else this.#number(place)
  }

  /** Whether there is a value: it must follow, as the second branch of a union with null. */
  some<T>(value: T | null): value is T {
    if (value === undefined) this.fits = false
    const isSome = value !== null && value !== undefined
    this.#number(isSome ? 1 : 0)
    return isSome
  }

  someString(value: string | null): void {
    if (this.some(value)) this.string(value)
  }

  someInt(value: number | null): void {
    if (this.some(value)) this.int(value)
  }

  someLong(value: number | null): void {
    if (this.some(value)) this.long(value)
  }

  someDouble(value: number | null): void {
    if (this.some(value)) this.double(value)
  }

  array<T>(items: readonly T[], write: (out: AvroWriter, item: T) => void): void {
    if (!Array.isArray(items)) {
      this.fits = false
      return
    }
    if (items.length > 0) this.#number(items.length)
    for (let index = 0; index < items.length; index++) write(this, items[index] as T)
    this.#number(0)
  }

  /** Text of any characters: first the bytes, behind a guess of the room for their length, then the length. */
  #text(value: string): void {
    this.#reserve(5 + 3 * value.length)
    const guessed = lengthSize(2 * value.length)
    const start = this.#at + guessed
    const size = this.#bytes.write(value, start)
    const needed = lengthSize(size)
    if (needed !== guessed) this.#bytes.copyWithin(this.#at + needed, start, start + size)
    this.#number(size)
    this.#at += size
  }

  #append(value: Buffer): void {
    this.#reserve(value.length)
    this.#at += value.copy(this.#bytes, this.#at)
  }

  /** A zigzag varint. */
  #number(value: number): void {
    this.#reserve(10)
    const bytes = this.#bytes
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) bytes[this.#at++] = (rest % 128) | 0x80
    for (; rest > 0x7f; rest >>>= 7) bytes[this.#at++] = (rest & 0x7f) | 0x80
    bytes[this.#at++] = rest
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(2 * (this.#at + size))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}

/** Bytes that tell a length. */
function lengthSize(length: number): number {
  return length < 0x40 ? 1 : length < 0x2000 ? 2 : length < 0x10_0000 ? 3 : length < 0x800_0000 ? 4 : 5
}
