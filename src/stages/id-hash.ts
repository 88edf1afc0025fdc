import { randomFillSync } from 'node:crypto'

/**
 * Drawn anew by every process, which is free because no hash outlives it: ids come from the users of a provider, and
 * nobody who does not know the key can make two that collide.
 */
const key = randomFillSync(new Int32Array(8))

const rounds = 8
const nonAscii = 0x8080_8080

/**
 * 96 bits of the bytes of an id: Chaskey (a message authentication code made of 32-bit operations, 8 rounds), under a
 * key of this process. The chance that any two of a hundred million ids share a hash is below 10^-13.
 */
export class IdHash {
  word0 = 0
  word1 = 0
  word2 = 0

  /** Takes the hash of bytes `start` to `end`; returns whether they are all ASCII. */
  take(bytes: Uint8Array, start: number, end: number): boolean {
    let v0 = key[0]!
    let v1 = key[1]!
    let v2 = key[2]!
    let v3 = key[3]!
    let seen = 0
    for (let at = start; ; at += 16) {
      const isLast = end - at < 16
      const m0 = isLast ? lastWord(bytes, at, end) : word(bytes, at)
      const m1 = isLast ? lastWord(bytes, at + 4, end) : word(bytes, at + 4)
      const m2 = isLast ? lastWord(bytes, at + 8, end) : word(bytes, at + 8)
      const m3 = isLast ? lastWord(bytes, at + 12, end) : word(bytes, at + 12)
      seen |= m0 | m1 | m2 | m3
      v0 ^= m0
      v1 ^= m1
      v2 ^= m2
      v3 ^= m3
      if (isLast) {
        v0 ^= key[4]!
        v1 ^= key[5]!
        v2 ^= key[6]!
        v3 ^= key[7]!
      }
      for (let round = 0; round < rounds; round++) {
        v0 = (v0 + v1) | 0
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
        v0 = (v0 << 16) | (v0 >>> 16)
        v2 = (v2 + v3) | 0
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
        v0 = (v0 + v3) | 0
        v3 = ((v3 << 13) | (v3 >>> 19)) ^ v0
        v2 = (v2 + v1) | 0
        v1 = ((v1 << 7) | (v1 >>> 25)) ^ v2
        v2 = (v2 << 16) | (v2 >>> 16)
      }
      if (isLast) break
    }
    this.word0 = (v0 ^ key[4]!) >>> 0
    this.word1 = (v1 ^ key[5]!) >>> 0
    this.word2 = (v2 ^ key[6]!) >>> 0
    return (seen & nonAscii) === 0
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** The same near the end: behind the bytes come a 1 and zeros. */
function lastWord(bytes: Uint8Array, at: number, end: number): number {
  const left = end - at
  if (left >= 4) return word(bytes, at)
  let padded = left >= 0 ? 1 : 0
  for (let index = left - 1; index >= 0; index--) padded = (padded << 8) | bytes[at + index]!
  return padded
}
