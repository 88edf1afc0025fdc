import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testKafka } from '../support/kafka.ts'

test('smoke', async (t) => {
  t.after(() => { console.error('first') })
  t.after(() => { console.error('second') })
  const k = testKafka(t)
  const topic = await k.topic('a', 3)
  const c = k.connection()
  await c.know([topic])
  assert.equal(c.partitions(topic), 3)
})
