import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assign, decodeAssignment, encodeSubscription } from '../../../src/kafka/assignor.ts'

const topics = ['raw.easemob', 'raw.polyv']

type Owned = Record<string, readonly number[]>

/** Shares `partitions` between members that say what they own; returns what each one gets. */
function share(owned: Owned, partitions: number): Record<string, number[]> {
  const members = Object.entries(owned).map(([memberId, own]) => ({
    memberId,
    memberMetadata: encodeSubscription(topics, own),
  }))
  return Object.fromEntries(
    assign(members, topics, partitions).map(({ memberId, memberAssignment }) => {
      const [first, second] = topics.map((topic) => decodeAssignment(memberAssignment, topic))
      assert.deepEqual(first, second, 'number p of every topic goes to one member')
      return [memberId, first!]
    }),
  )
}

const sizes = (shared: Record<string, number[]>) => Object.values(shared).map((list) => list.length)
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

function assertFair(shared: Record<string, number[]>, partitions: number): void {
  assert.deepEqual(
    Object.values(shared)
      .flat()
      .sort((a, b) => a - b),
    numbers(partitions),
  )
  assert.ok(Math.max(...sizes(shared)) - Math.min(...sizes(shared)) <= 1)
}

const members = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'abcdef') }),
  fc.uniqueArray(fc.integer({ min: -1, max: 40 }), { maxLength: 20 }),
  { minKeys: 1, maxKeys: 9, noNullPrototype: true },
)

test('every number goes to one member, and shares differ by one at most, whatever members believe to own', () => {
  fc.assert(
    fc.property(members, fc.integer({ min: 0, max: 32 }), (owned, partitions) => {
      assertFair(share(owned, partitions), partitions)
    }),
    { numRuns: 500 },
  )
})

test('nothing moves when nobody comes or goes', () => {
  fc.assert(
    fc.property(members, fc.integer({ min: 0, max: 32 }), (owned, partitions) => {
      const settled = share(owned, partitions)
      assert.deepEqual(share(settled, partitions), settled)
    }),
  )
})

test('a newcomer gets its share, and nothing else moves', () => {
  fc.assert(
    fc.property(members, fc.integer({ min: 0, max: 32 }), (owned, partitions) => {
      const before = share(owned, partitions)
      const after = share({ ...before, zz: [] }, partitions)
      assertFair(after, partitions)
      for (const [member, kept] of Object.entries(after))
        if (member !== 'zz') assert.deepEqual(kept.filter((p) => !before[member]!.includes(p)), []) // prettier-ignore
    }),
  )
})

test('when a member goes, the others keep what they have', () => {
  fc.assert(
    fc.property(members, fc.integer({ min: 0, max: 32 }), (owned, partitions) => {
      const before = share({ ...owned, zz: [] }, partitions)
      const rest = Object.fromEntries(Object.entries(before).filter(([member]) => member !== 'zz'))
      const after = share(rest, partitions)
      assertFair(after, partitions)
      for (const [member, had] of Object.entries(rest))
        assert.deepEqual(had.filter((p) => !after[member]!.includes(p)), []) // prettier-ignore
    }),
  )
})

test('one member gets everything; of more members than partitions some get nothing', () => {
  assert.deepEqual(share({ only: [] }, 6), { only: [0, 1, 2, 3, 4, 5] })
  assert.deepEqual(sizes(share({ a: [], b: [], c: [], d: [] }, 3)).sort(), [0, 1, 1, 1])
})

test('a member without an assignment works on nothing', () => {
  assert.deepEqual(decodeAssignment(Buffer.alloc(0), 'raw.easemob'), [])
})
