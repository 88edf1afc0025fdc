import assert from 'node:assert/strict'
import { test } from 'node:test'
import { snippetOf } from '../../../../src/sinks/sqlite/snippet.ts'

test('every match is marked, touching ones as one', () => {
  assert.equal(
    snippetOf('退款，再退款；申请退款', [
      ['退', '款'],
      ['申', '请'],
    ]),
    '«退款»，再«退款»；«申请退款»',
  )
})

test('marks stand in the original text, whatever its case, width and accents', () => {
  assert.equal(snippetOf('ﬁn ＡＢＣ and Inês', [['abc'], ['ines']]), 'ﬁn «ＡＢＣ» and «Inês»')
})

test('a Latin word is marked only where it begins', () => {
  assert.equal(snippetOf('reorder order2 订单order', [['order']]), 'reorder «order»2 订单«order»')
})

test('a long text is cut around its first match, never inside a surrogate pair', () => {
  const snippet = snippetOf(`${'😀'.repeat(50)}x退款${'😀'.repeat(90)}`, [['退', '款']])
  assert.match(snippet, /^…(😀)+x«退款»(😀)+…$/u)
  assert.ok(snippet.length < 100)
})

test('a snippet is one line without control characters', () => {
  assert.equal(snippetOf('退款\r\n\u001b[2J\u202e第二行\0', [['退', '款']]), '«退款» [2J 第二行')
})

test('a text whose match cannot be placed begins at its beginning', () => {
  assert.equal(snippetOf('您好', [['退', '款']]), '您好')
})
