import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { partitionOf } from '../../../src/kafka/partitioner.ts'

test('a key goes to the partition that the Java client chooses', () => {
  const witness = kafkajs.Partitioners.DefaultPartitioner()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 100 }), (array, partitions) => {
      const key = Buffer.from(array)
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        partitionErrorCode: 0,
        leader: 1,
        replicas: [1],
        isr: [1],
      }))
      const expected = witness({ topic: 't', partitionMetadata, message: { key, value: null } })
      assert.equal(partitionOf(key, partitions), expected)
    }),
    { numRuns: 2_000 },
  )
})
