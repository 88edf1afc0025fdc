import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goneBeforeMs, isCompacted } from '../../../src/audit/retention.ts'

const now = 1_795_600_000_000
const settings = (text: string) => new Map(text.split(' ').map((pair) => pair.split('=') as [string, string]))

test('a topic that deletes lets go of what is older than it keeps records, give or take a little', () => {
  const gone = goneBeforeMs(settings('cleanup.policy=delete retention.ms=86400000'), null, now)
  assert.ok(gone > now - 86_400_000 && gone < now - 86_400_000 + 3_600_000)
})

test('a topic that keeps all, or deletes nothing, lets go of nothing', () => {
  assert.equal(goneBeforeMs(settings('cleanup.policy=delete retention.ms=-1'), now, now), 0)
  assert.equal(goneBeforeMs(settings('cleanup.policy=compact retention.ms=1'), now, now), 0)
  assert.equal(goneBeforeMs(undefined, now, now), 0)
})

test('a limit of bytes lets go of what came before the oldest record left', () => {
  const bounded = settings('cleanup.policy=delete retention.ms=-1 retention.bytes=1000')
  assert.equal(goneBeforeMs(bounded, now - 5_000, now), now - 5_000)
  assert.equal(goneBeforeMs(bounded, null, now), 0)
})

test('a compacted topic is told by its policy', () => {
  assert.equal(isCompacted(settings('cleanup.policy=compact,delete')), true)
  assert.equal(isCompacted(settings('cleanup.policy=delete')), false)
  assert.equal(isCompacted(undefined), false)
})
