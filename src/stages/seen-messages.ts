import { IdHash } from './id-hash.ts'
import { IdIndex } from './id-index.ts'
import { WordPool } from './word-pool.ts'

/** What dedup says of a record: `new` content, a `repeat`, or a `stale` copy of an id that moved on. */
export type Verdict = 'new' | 'repeat' | 'stale'

/** A content of a message: its id as a hash, and its fingerprint. One object serves for many, one after the other. */
export class Content extends IdHash {
  readonly fingerprint = new Uint32Array(4)

  /** The id's bytes from `start` to `end`, and 16 bytes of fingerprint. Returns whether the id is all ASCII. */
  of(bytes: Buffer, start: number, end: number, fingerprints: Buffer, fingerprintAt: number): boolean {
    for (let word = 0; word < 4; word++) {
      const at = fingerprintAt + 4 * word
      this.fingerprint[word] =
        fingerprints[at]! |
        (fingerprints[at + 1]! << 8) |
        (fingerprints[at + 2]! << 16) |
        (fingerprints[at + 3]! << 24)
    }
    return this.take(bytes, start, end)
  }
}

/** Words of an id. Times are 54 and 42 bits of milliseconds in three words, the latter until the year 2109. */
const word1 = 0
const word2 = 1
const firstFingerprint = 2
const fetchedLow = 6
const timesHigh = 7
const acceptedLow = 8
const newestRevision = 9
const more = 10
const idWords = 11

/** Words of a further fingerprint, and the number of the next. */
const next = 4
const fingerprintWords = 5

const latest = 2 ** 42 - 1
/** Memory of ids that left the window is found again within this part of the window. */
const sweepShare = 1 / 16

/**
 * The ids accepted within the window, about 55 bytes each: neither ids nor fingerprints are objects or strings here.
 * An id is known by 96 bits of its keyed hash (see IdHash), a fingerprint by all its bytes.
 */
export class SeenMessages {
  readonly #windowMs: number
  readonly #ids = new WordPool(idWords)
  /** Fingerprints but the first of their id: most ids have one only. */
  readonly #fingerprints = new WordPool(fingerprintWords)
  readonly #index = new IdIndex((number) => this.#isSought(number))
  #sought = new Content()
  /** What was last accepted then or before has left the window. */
  #horizon = -Infinity
  #segment = 0
  #sweptAt = -Infinity
  #size = 0

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** How many ids lie in memory, some of which may just have left the window. */
  get size(): number {
    return this.#size
  }

  judge(content: Content, fetchedAt: number): Verdict {
    const number = this.#find(content)
    if (number === 0 || this.#isOver(number)) return 'new'
    if (this.#holds(number, content)) return 'repeat'
    return fetchedAt < this.#fetchedAt(number) ? 'stale' : 'new'
  }

  /** Remembers a content and returns its revision: the one given, else the next, from 1. */
  accept(content: Content, fetchedAt: number, acceptedAt: number, known?: number): number {
    let number = this.#find(content)
    if (number === 0) {
      number = this.#ids.take()
      this.#index.add(content.word0, number)
      this.#size++
      return this.#begin(number, content, fetchedAt, acceptedAt, known ?? 1)
    }
    if (this.#isOver(number)) {
      this.#freeFingerprints(number)
      return this.#begin(number, content, fetchedAt, acceptedAt, known ?? 1)
    }
    if (!this.#holds(number, content)) this.#addFingerprint(number, content)
    const words = this.#ids.chunk(number)
    const at = this.#ids.at(number)
    const revision = known ?? (words[at + newestRevision]! | 0) + 1
    words[at + newestRevision] = revision
    this.#setTimes(number, Math.max(fetchedAt, this.#fetchedAt(number)), acceptedAt)
    return revision
  }

  /** Forgets the ids whose last acceptance has left the window. Their memory is used again a little later. */
  forgetOld(nowMs: number): void {
    this.#horizon = Math.max(this.#horizon, nowMs - this.#windowMs)
    if (nowMs - this.#sweptAt < (this.#windowMs * sweepShare) / IdIndex.segments) return
    this.#sweptAt = nowMs
    this.#index.sweep(this.#segment, (number) => {
      if (!this.#isOver(number)) return true
      this.#freeFingerprints(number)
      this.#ids.free(number)
      this.#size--
      return false
    })
    this.#segment = (this.#segment + 1) % IdIndex.segments
  }

  #begin(number: number, content: Content, fetchedAt: number, acceptedAt: number, revision: number): number {
    const words = this.#ids.chunk(number)
    const at = this.#ids.at(number)
    words[at + word1] = content.word1
    words[at + word2] = content.word2
    words.set(content.fingerprint, at + firstFingerprint)
    words[at + newestRevision] = revision
    words[at + more] = 0
    this.#setTimes(number, Math.max(fetchedAt, 0), acceptedAt)
    return revision
  }

  #find(content: Content): number {
    this.#sought = content
    return this.#index.find(content.word0)
  }

  #isSought(number: number): boolean {
    const words = this.#ids.chunk(number)
    const at = this.#ids.at(number)
    return words[at + word1] === this.#sought.word1 && words[at + word2] === this.#sought.word2
  }

  #holds(number: number, { fingerprint }: Content): boolean {
    const words = this.#ids.chunk(number)
    const at = this.#ids.at(number)
    if (isEqual(words, at + firstFingerprint, fingerprint)) return true
    for (let other = words[at + more]!; other !== 0;) {
      const others = this.#fingerprints.chunk(other)
      const start = this.#fingerprints.at(other)
      if (isEqual(others, start, fingerprint)) return true
      other = others[start + next]!
    }
    return false
  }

  #addFingerprint(number: number, { fingerprint }: Content): void {
    const words = this.#ids.chunk(number)
    const at = this.#ids.at(number)
    const other = this.#fingerprints.take()
    const others = this.#fingerprints.chunk(other)
    const start = this.#fingerprints.at(other)
    others.set(fingerprint, start)
    others[start + next] = words[at + more]!
    words[at + more] = other
  }

  #freeFingerprints(number: number): void {
    for (let other = this.#ids.chunk(number)[this.#ids.at(number) + more]!; other !== 0;) {
      const following = this.#fingerprints.chunk(other)[this.#fingerprints.at(other) + next]!
      this.#fingerprints.free(other)
      other = following
    }
  }

  #setTimes(number: number, fetchedAt: number, acceptedAt: number): void {
    const words = this.#ids.chunk(number)
    const at = this.#ids.at(number)
    const accepted = Math.min(Math.max(Math.ceil(acceptedAt), 0), latest)
    words[at + fetchedLow] = fetchedAt
    words[at + timesHigh] = (Math.floor(fetchedAt / 2 ** 32) << 10) | Math.floor(accepted / 2 ** 32)
    words[at + acceptedLow] = accepted
  }

  #fetchedAt(number: number): number {
    const words = this.#ids.chunk(number)
    const at = this.#ids.at(number)
    return ((words[at + timesHigh]! | 0) >> 10) * 2 ** 32 + words[at + fetchedLow]!
  }

  #isOver(number: number): boolean {
    const words = this.#ids.chunk(number)
    const at = this.#ids.at(number)
    return (words[at + timesHigh]! & 0x3ff) * 2 ** 32 + words[at + acceptedLow]! <= this.#horizon
  }
}

function isEqual(words: Uint32Array, at: number, fingerprint: Uint32Array): boolean {
  return (
    words[at] === fingerprint[0] &&
    words[at + 1] === fingerprint[1] &&
    words[at + 2] === fingerprint[2] &&
    words[at + 3] === fingerprint[3]
  )
}
