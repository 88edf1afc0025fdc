import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseLossless, stringifyLossless } from '../../../src/providers/canonical.ts'
import { dataText } from '../../../src/providers/data-text.ts'

test('numbers keep their digits, wherever they stand', () => {
  const text = '{"order":9007199254740993,"list":[1,{"price":1.10}],"ext":{"id":[12345678901234567890]}}'
  assert.equal(dataText(parseLossless(text) as Record<string, unknown>), text.replace('1.10', '1.1'))
})

test('what is undefined is left out, and nothing at all has no text', () => {
  assert.equal(dataText({ ext: undefined, record: { a: 1 } }), '{"record":{"a":1}}')
  assert.equal(dataText({ ext: undefined }), null)
  assert.equal(dataText({}), null)
})

test('the text is that of the lossless writer, also where a member looks like a number of it', () => {
  const name = fc.oneof(
    fc.constantFrom('isLosslessNumber', 'value', '__proto__', 'toJSON', '"isLosslessNumber":'),
    fc.string(),
  )
  const digits = fc.constantFrom('9007199254740993', '1e400', '-0', '0.1', '12345678901234567890.5')
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      digits,
      fc.array(fc.nat(0xffff)).map((units) => JSON.stringify(String.fromCharCode(...units))),
      fc.constantFrom('null', 'true', '{}', '[]'),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join()}]`),
      fc
        .array(fc.tuple(name, tie('value')), { maxLength: 3 })
        .map((members) => `{${members.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`),
    ),
  }))
  fc.assert(
    fc.property(value, (text) => {
      const data = { ext: parseLossless(text) }
      assert.equal(dataText(data), stringifyLossless(data))
    }),
    { numRuns: 500, seed: 6 },
  )
})
