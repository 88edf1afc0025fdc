import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageCodec } from '../../../src/avro.ts'
import { ChatfeedError } from '../../../src/errors.ts'
import type { Message } from '../../../src/model.ts'
import { carry } from '../../../src/sinks/carry.ts'
import type { Sink } from '../../../src/sinks/sink.ts'
import { message } from '../samples.ts'
import { recordSet } from '../stages/records.ts'

/** A sink that remembers what it was given. */
function memorySink() {
  const writes: { partition: number; messages: readonly Message[]; nextOffset: number }[] = []
  const sink: Sink = {
    name: 'memory',
    type: 'memory',
    position: () => Promise.resolve(null),
    write(partition, messages, nextOffset) {
      writes.push({ partition, messages, nextOffset })
      return Promise.resolve()
    },
    rows: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  }
  return { sink, writes }
}

const key = Buffer.from(message.id)
const good = { key, value: Buffer.from(messageCodec.encode(message)) }

test('messages go into the sink with the next offset; records without a value only move it', async () => {
  const { sink, writes } = memorySink()
  await carry(recordSet([good, { key, value: null }], { topic: 'messages' }), sink)
  assert.equal(writes.length, 1)
  const [{ partition, messages, nextOffset } = assert.fail()] = writes
  assert.deepEqual([partition, messages.map(({ id }) => id), nextOffset], [3, [message.id], 102])
})

test('a foreign record ends the carrying with its place and the mend, and nothing is written', async () => {
  const cut = good.value.subarray(0, -3)
  for (const value of [Buffer.from('private words of another program'), cut]) {
    const { sink, writes } = memorySink()
    await assert.rejects(carry(recordSet([good, { key, value }], { topic: 'messages' }), sink), (error) => {
      assert.ok(error instanceof ChatfeedError)
      assert.deepEqual([error.remedy, error.code], ['fatal', 'foreign_record'])
      assert.match(error.message, /messages .*partition 3, offset 101/)
      assert.match(error.mend ?? '', /another program.*newer chatfeed/i)
      assert.doesNotMatch(`${error.message} ${error.mend}`, /private words/)
      return true
    })
    assert.deepEqual(writes, [])
  }
})
