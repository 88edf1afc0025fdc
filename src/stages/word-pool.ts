const chunkBits = 12
const chunkRecords = 1 << chunkBits

/**
 * Records of so many 32-bit words each, without an object a record. Grows chunk by chunk and copies nothing; what was
 * freed is used again. Numbers begin with 1, so that 0 can say "none". The last word of a record belongs to the pool
 * while it is free.
 */
export class WordPool {
  readonly #words: number
  readonly #chunks: Uint32Array[] = []
  /** The last number ever used. */
  #last = 0
  #free = 0

  constructor(words: number) {
    this.#words = words
  }

  /** A record whose words hold anything. */
  take(): number {
    const number = this.#free
    if (number !== 0) {
      this.#free = this.chunk(number)[this.at(number) + this.#words - 1]!
      return number
    }
    if (++this.#last >>> chunkBits === this.#chunks.length)
      this.#chunks.push(new Uint32Array(chunkRecords * this.#words))
    return this.#last
  }

  free(number: number): void {
    this.chunk(number)[this.at(number) + this.#words - 1] = this.#free
    this.#free = number
  }

  /** The array that the words of a record lie in, */
  chunk(number: number): Uint32Array {
    return this.#chunks[number >>> chunkBits]!
  }

  /** from here on. */
  at(number: number): number {
    return (number & (chunkRecords - 1)) * this.#words
  }
}
