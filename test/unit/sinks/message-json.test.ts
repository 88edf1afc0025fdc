import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageJson } from '../../../src/sinks/message-json.ts'
import { message } from '../samples.ts'

test('the JSON of a message has the fields of its schema, and data as an object with its digits', () => {
  const json = messageJson(message)
  assert.ok(json.endsWith(',"data":{"orderId":9007199254740993}}'), json)
  const { data, ...fields } = message
  assert.deepEqual({ ...(JSON.parse(json) as object), data }, { ...fields, data })
  assert.match(messageJson({ ...message, data: null }), /,"data":null\}$/)
})

test('the JSON of a message is one line, whatever white space stands in its data', () => {
  const json = messageJson({ ...message, text: 'two\nlines\u2028', data: '{\r\n "a": [1,\n2]}' })
  assert.doesNotMatch(json, /[\r\n]/)
  const { text, data } = JSON.parse(json) as { text: string; data: unknown }
  assert.deepEqual({ text, data }, { text: 'two\nlines\u2028', data: { a: [1, 2] } })
})

test('half a surrogate pair is replaced in text and data, a whole one and an escaped backslash stay', () => {
  const data = String.raw`{"half":"\ud83d","end":"\uDC4D!","pair":"\ud83d\udc4d","no":"\\ud83d","line":"\n"}`
  const json = messageJson({ ...message, text: 'a\ud83d', data })
  assert.doesNotMatch(json.replace(String.raw`\ud83d\udc4d`, '').replace(String.raw`\\ud83d`, ''), /\\ud/)
  const parsed = JSON.parse(json) as { text: string; data: unknown }
  assert.equal(parsed.text, 'a\ufffd')
  assert.deepEqual(parsed.data, {
    half: '\ufffd',
    end: '\ufffd!',
    pair: '👍',
    no: String.raw`\ud83d`,
    line: '\n',
  })
})
