import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageCodec } from '../../support/codecs.ts'
import { ChatfeedError } from '../../../src/errors.ts'
import { messageReader } from '../../../src/sinks/messages.ts'
import { message } from '../samples.ts'
import { recordSet } from '../stages/records.ts'

const messagesOf = messageReader(messageCodec)
const key = Buffer.from(message.id)
const good = { key, value: Buffer.from(messageCodec.encode(message)) }

test('every record with a value is a message', () => {
  const records = recordSet([good, { key, value: null }, good], { topic: 'messages' })
  assert.equal(JSON.stringify([...messagesOf(records)]), JSON.stringify([message, message]))
})

test('a foreign record is told with its place and the mend', () => {
  const cut = good.value.subarray(0, -3)
  for (const value of [Buffer.from('private words of another program'), cut]) {
    const records = recordSet([good, { key, value }], { topic: 'messages' })
    assert.throws(
      () => [...messagesOf(records)],
      (error) => {
        assert.ok(error instanceof ChatfeedError)
        assert.deepEqual([error.remedy, error.code], ['fatal', 'foreign_record'])
        assert.match(error.message, /messages .*partition 3, offset 101/)
        assert.match(error.mend ?? '', /another program.*newer chatfeed/i)
        assert.doesNotMatch(`${error.message} ${error.mend}`, /private words/)
        return true
      },
    )
  }
})
