/** Longer numbers are left to avsc: these fit into a double, and no time or length of ours is longer. */
const longestNumber = 7

/**
 * Reads Avro values one behind the other. Where something is unusual or cut off, `fits` tells so from then on, and
 * what was read is worth nothing. Whatever fits is what avsc reads, but for bytes, which are views and not copies.
 */
export class AvroReader {
  #fits = true
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0

  /** Begins with the value that starts at `at` and ends with the bytes. */
  begin(bytes: Buffer, at: number): void {
    this.#fits = true
    this.#bytes = bytes
    this.#at = at
  }

  /** Whether everything could be read and nothing is left. */
  get fits(): boolean {
    return this.#fits && this.#at === this.#bytes.length
  }

  /** An int or a long, or the place of a branch or of a word. */
  number(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++] ?? 0x80
    let raw = byte & 0x7f
    for (let length = 1, factor = 128; byte > 0x7f; length++, factor *= 128) {
      if (length === longestNumber || this.#at > bytes.length) {
        this.#fits = false
        return 0
      }
      byte = bytes[this.#at++] ?? 0x80
      raw += (byte & 0x7f) * factor
    }
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }

  string(): string {
    const start = this.#skip(this.number())
    return this.#bytes.toString('utf8', start, this.#at)
  }

  /** A string that is often the same as the one before at this place. */
  stringLike(before: RepeatedString): string {
    const start = this.#skip(this.number())
    return before.read(this.#bytes, start, this.#at)
  }

  bytes(): Buffer {
    return this.fixed(this.number())
  }

  fixed(size: number): Buffer {
    const start = this.#skip(size)
    return this.#bytes.subarray(start, this.#at)
  }

  /** Whether a value follows, as the second branch of a union with null. */
  some(): boolean {
    const branch = this.number()
    if (branch !== 0 && branch !== 1) this.#fits = false
    return branch === 1
  }

  /** Where the skipped bytes begin. */
  #skip(length: number): number {
    const start = this.#at
    if (length >= 0 && length <= this.#bytes.length - start) this.#at += length
    else this.#fits = false
    return start
  }
}

/** Remembers a string with its bytes, so that the same bytes need not be decoded again. */
export class RepeatedString {
  #bytes = Buffer.alloc(0)
  #text = ''

  read(bytes: Buffer, start: number, end: number): string {
    if (!this.#isSame(bytes, start, end)) {
      this.#bytes = Buffer.from(bytes.subarray(start, end))
      this.#text = this.#bytes.toString()
    }
    return this.#text
  }

  #isSame(bytes: Buffer, start: number, end: number): boolean {
    const known = this.#bytes
    if (end - start !== known.length) return false
    for (let index = 0; index < known.length; index++) if (bytes[start + index] !== known[index]) return false
    return true
  }
}
