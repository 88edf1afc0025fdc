/**
 * A random stream that depends only on its labels: the sandbox can make any minute of history on demand,
 * in any process, and always the same. sfc32, seeded by FNV-1a over the labels.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(...labels: readonly (string | number)[]) {
    let hash = 0x811c9dc5
    for (const char of labels.join('\u0000')) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
    this.#a = hash
    this.#b = Math.imul(hash, 0x9e3779b1)
    this.#c = hash ^ 0x5bd1e995
    for (let round = 0; round < 12; round++) this.next()
  }

  /** A number in [0, 1). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 4294967296
  }

  /** An integer in [from, to]. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)]!
  }

  /** `length` random characters of `alphabet`. */
  text(length: number, alphabet = '0123456789abcdef'): string {
    let text = ''
    while (text.length < length) text += alphabet[this.integer(0, alphabet.length - 1)]
    return text
  }
}
