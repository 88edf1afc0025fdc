import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IdIndex } from '../../../src/stages/id-index.ts'

test('whatever is added and swept, each number is found under its hash, also one that shares it', () => {
  // Few hashes, at both ends of few segments, so that slots run over the end and numbers share a hash.
  const hash = fc.constantFrom(0, 1, 2, 0xff_ffff, 0xff_fffe, 0x1ff_ffff, 0xffff_ffff, 0xff00_0000)
  const action = fc.oneof(
    { weight: 20, arbitrary: hash.map((value) => ({ hash: value })) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 }).map((keptOf5) => ({ keptOf5 })) },
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 150 }), (actions) => {
      let sought = 0
      const index = new IdIndex((number) => number === sought)
      const model = new Map<number, number>()
      let last = 0
      for (const step of actions) {
        if ('hash' in step) {
          index.add(step.hash, ++last)
          model.set(last, step.hash)
        } else {
          const keep = (number: number) => number % 5 < step.keptOf5
          for (let segment = 0; segment < IdIndex.segments; segment++) index.sweep(segment, keep)
          for (const number of [...model.keys()]) if (!keep(number)) model.delete(number)
        }
      }
      for (sought = 1; sought <= last; sought++)
        for (const value of [0, 1, 2, 0xff_ffff, 0xff_fffe, 0x1ff_ffff, 0xffff_ffff, 0xff00_0000])
          assert.equal(index.find(value), model.get(sought) === value ? sought : 0)
    }),
    { numRuns: 200 },
  )
})

test('a sweep asks once about each number of its segment', () => {
  const index = new IdIndex(() => true)
  for (let number = 1; number <= 1_000; number++) index.add(Math.imul(number, 0x9e37_79b1) >>> 0, number)
  const asked: number[] = []
  for (let segment = 0; segment < IdIndex.segments; segment++)
    index.sweep(segment, (number) => {
      asked.push(number)
      return false
    })
  assert.deepEqual(
    asked.sort((a, b) => a - b),
    Array.from({ length: 1_000 }, (_, at) => at + 1),
  )
})
