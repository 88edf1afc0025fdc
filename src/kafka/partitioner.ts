/** The partition of a key, as the Java client's default partitioner chooses it. The key may lie within other bytes. */
export function partitionOf(bytes: Buffer, partitions: number, keyAt = 0, keyEnd = bytes.length): number {
  return (murmur2(bytes, keyAt, keyEnd) & 0x7fff_ffff) % partitions
}

function murmur2(data: Buffer, at: number, end: number): number {
  const m = 0x5bd1e995
  const length = end - at
  let hash = 0x9747b28c ^ length
  for (; at + 4 <= end; at += 4) {
    const word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)
    let k = Math.imul(word, m)
    k = Math.imul(k ^ (k >>> 24), m)
    hash = Math.imul(hash, m) ^ k
  }
  const rest = end - at
  if (rest >= 3) hash ^= data[at + 2]! << 16
  if (rest >= 2) hash ^= data[at + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ data[at]!, m)
  hash = Math.imul(hash ^ (hash >>> 13), m)
  return hash ^ (hash >>> 15)
}
