import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { elementsOf, itemsOf, membersOf } from '../../../src/providers/slices.ts'

const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 3 })

/** The bytes of one JSON object with odd white space, escapes, big numbers and bytes that are no UTF-8. */
const itemBytes = fc
  .record({
    value: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5 }),
    indent: fc.constantFrom(undefined, 0, 1, '\t'),
    id: fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
    wild: fc
      .uint8Array({ maxLength: 12 })
      .map((bytes) => bytes.filter((byte) => byte !== 0x22 && byte !== 0x5c)),
    escapes: fc.array(fc.constantFrom('\\"', '\\\\', '\\u4f60', '\\/', '\\n', ']', '}', '[', '{', ',', ':'), {
      maxLength: 8,
    }),
  })
  .map(({ value, indent, id, wild, escapes }) =>
    Buffer.concat([
      Buffer.from(`{"big" :${id},"number":-1.50E+07,"escapes":"${escapes.join('')}","wild":"`),
      wild,
      Buffer.from(`","value":\r\n${JSON.stringify(value, null, indent)}}`),
    ]),
  )

const answerOf = (
  items: readonly Buffer[],
  spaces: readonly string[],
  before: string,
  after: string,
): Buffer => {
  const pad = (index: number): Buffer => Buffer.from(spaces[index % Math.max(1, spaces.length)] ?? '')
  const parts = items.flatMap((item, index) => [
    Buffer.from(index ? ',' : ''),
    pad(index),
    item,
    pad(index + 1),
  ])
  return Buffer.concat([Buffer.from(before), ...parts, Buffer.from(after)])
}

test('every item leaves an answer with exactly the bytes it came with', () => {
  fc.assert(
    fc.property(fc.array(itemBytes, { maxLength: 6 }), fc.array(space, { maxLength: 4 }), (items, spaces) => {
      const body = answerOf(
        items,
        spaces,
        ' {"code" : 200,"data" :\n[',
        '],"message":"]}","status":"success"}\n',
      )
      assert.deepEqual(itemsOf(body, ['data']), items)
      const deeper = answerOf(items, spaces, '{"data":{"list":[', '],"page":1},"code":200}')
      assert.deepEqual(itemsOf(deeper, ['data', 'list']), items)
    }),
  )
})

test('an item that is broken inside leaves its neighbours whole', () => {
  const items = ['{"id":"a"}', '{"id":tru,,"b" 5 \\u}', '{"id":"\\q"}', '12', '"x]"', 'nul', '{"id":"b"}']
  const body = Buffer.from(`{"data":[${items.join(' , ')}]}`)
  assert.deepEqual(itemsOf(body, ['data'])?.map(String), items)
})

test('a cut answer has no items, wherever it is cut', () => {
  const body = Buffer.from('{"code":200,"data":[{"a":"]\\"}"},{"b":[1,{"c":null}]}]}')
  assert.equal(itemsOf(body, ['data'])?.length, 2)
  for (let end = 0; end < body.length - 1; end++) {
    assert.equal(itemsOf(body.subarray(0, end), ['data']), null, `cut after ${end} bytes`)
  }
})

test('what is no list of items is null, never an empty list', () => {
  for (const text of [
    '',
    ' ',
    '[]',
    '{}',
    '{"data":""}',
    '{"data":null}',
    '{"data":{}}',
    '<html></html>',
    '{"data":[{} {}]}',
  ]) {
    assert.equal(itemsOf(Buffer.from(text), ['data']), null, text)
  }
  assert.deepEqual(itemsOf(Buffer.from('{"data": [ ] }'), ['data']), [])
})

test('of equal names the last counts, as in JSON.parse', () => {
  assert.equal(String(membersOf(Buffer.from('{"a":1,"a" : 2 }'))?.get('a')), '2')
})

test('an answer may begin with a byte-order mark', () => {
  assert.equal(elementsOf(Buffer.from('\ufeff[1,2]'))?.length, 2)
})
