import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdHash } from '../../../src/stages/id-hash.ts'

function hashOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const hash = new IdHash()
  hash.take(bytes, start, end)
  return [hash.word0, hash.word1, hash.word2].join()
}

test('every bit of an id and its length count, around the bounds of a block', () => {
  const hashes = new Set<string>()
  let ids = 0
  for (let length = 0; length <= 50; length++) {
    const zeros = Buffer.alloc(length)
    const ones = Buffer.concat([zeros, Buffer.from([1])])
    hashes.add(hashOf(zeros)).add(hashOf(ones))
    ids += 2
    for (let bit = 0; bit < 8 * length; bit++) {
      if (bit === 8 * (length - 1)) continue // the one above, a byte shorter
      const id = Buffer.alloc(length)
      id[bit >> 3] = 1 << (bit & 7)
      hashes.add(hashOf(id))
      ids++
    }
  }
  assert.equal(hashes.size, ids)
})

test('the bytes around an id do not count', () => {
  const id = Buffer.from('easemob:acme#helpdesk:1287645')
  for (const around of ['', 'a', 'abcd', 'é'.repeat(20)]) {
    const bytes = Buffer.concat([Buffer.from(around), id, Buffer.from(around)])
    const start = Buffer.byteLength(around)
    assert.equal(hashOf(bytes, start, start + id.length), hashOf(id))
    assert.equal(new IdHash().take(bytes, start, start + id.length), true)
  }
})

test('each bit of the hash is set for about half of the ids, and changes with each bit of an id about half the time', () => {
  const rounds = 2_000
  const words = (id: Buffer): number[] => {
    const hash = new IdHash()
    hash.take(id, 0, id.length)
    return [hash.word0, hash.word1, hash.word2]
  }
  const set = Array.from({ length: 96 }, () => 0)
  const changed = Array.from({ length: 96 }, () => 0)
  for (let round = 0; round < rounds; round++) {
    const id = Buffer.from(`polyv:app:${round}`)
    const before = words(id)
    id[round % id.length]! ^= 1 << (round & 7)
    const after = words(id)
    for (let bit = 0; bit < 96; bit++) {
      set[bit]! += (before[bit >> 5]! >>> (bit & 31)) & 1
      changed[bit]! += ((before[bit >> 5]! ^ after[bit >> 5]!) >>> (bit & 31)) & 1
    }
  }
  // Six standard deviations around the half.
  for (const count of [...set, ...changed])
    assert.ok(Math.abs(count - rounds / 2) < 6 * Math.sqrt(rounds / 4))
})

test('an id with a byte beyond ASCII is told, wherever the byte lies', () => {
  for (let length = 1; length <= 40; length++)
    for (let at = 0; at < length; at++) {
      const id = Buffer.alloc(length, 'a')
      assert.equal(new IdHash().take(id, 0, length), true)
      id[at] = 0x80
      assert.equal(new IdHash().take(id, 0, length), false)
    }
})
