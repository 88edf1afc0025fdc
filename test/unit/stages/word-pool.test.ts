import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WordPool } from '../../../src/stages/word-pool.ts'

test('records keep their words whatever is taken and freed around them; freed ones are used again', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(), { freq: 3 }), { maxLength: 300 }), (steps) => {
      const pool = new WordPool(3)
      const held = new Map<number, number>()
      let written = 0
      let most = 0
      for (const step of steps) {
        const [chosen] = [...held.keys()].slice((step ?? 0) % Math.max(held.size, 1))
        if (step === null && chosen !== undefined) {
          pool.free(chosen)
          held.delete(chosen)
          continue
        }
        const number = pool.take()
        assert.ok(number > 0 && !held.has(number))
        pool.chunk(number).fill(++written, pool.at(number), pool.at(number) + 3)
        held.set(number, written)
        most = Math.max(most, held.size)
        assert.ok(number <= most, 'no new one is begun while a freed one is left')
      }
      for (const [number, value] of held) {
        const at = pool.at(number)
        assert.deepEqual([...pool.chunk(number).subarray(at, at + 3)], [value, value, value])
      }
    }),
    { numRuns: 200 },
  )
})

test('a pool of many chunks keeps every record', () => {
  const pool = new WordPool(2)
  const numbers = Array.from({ length: 20_000 }, () => pool.take())
  for (const number of numbers) pool.chunk(number)[pool.at(number)] = number
  assert.equal(new Set(numbers).size, numbers.length)
  for (const number of numbers) assert.equal(pool.chunk(number)[pool.at(number)], number)
})
