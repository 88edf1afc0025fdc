import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  canonicalText,
  fingerprintOf,
  isLosslessNumber,
  parseLossless,
  stringifyLossless,
} from '../../../src/providers/canonical.ts'

test('numbers that a double cannot hold keep their digits', () => {
  const texts = [
    '{"id":469166209653277176,"n":1}',
    '[9007199254740993,-9007199254740993]',
    '{"x":0.12345678901234567890}',
    '12345678901234567890',
    '[ 12345678901234567890 ]',
    '{"e":1e400}',
  ]
  for (const text of texts) assert.equal(stringifyLossless(parseLossless(text)), text.replaceAll(' ', ''))
})

test('numbers that a double holds are plain numbers', () => {
  assert.deepEqual(
    parseLossless('{"a":1526801073356,"b":39.9053,"big":12345678901234567890,"c":1.50,"d":1e3}'),
    {
      a: 1526801073356,
      b: 39.9053,
      big: (parseLossless('[12345678901234567890]') as unknown[])[0],
      c: 1.5,
      d: 1000,
    },
  )
})

test('digits inside strings stay strings, escapes and lone surrogates do not throw', () => {
  assert.deepEqual(
    parseLossless('{"msg_id":"469166209653277176","t":":12345678901234567890 \\ud800 \\u0000"}'),
    {
      msg_id: '469166209653277176',
      t: ':12345678901234567890 \ud800 \u0000',
    },
  )
  assert.equal(stringifyLossless('\ud800'), '"\\ud800"')
  assert.equal(fingerprintOf({ t: '\ud800' }).length, 16)
})

test('the last of duplicate keys wins, with and without big numbers', () => {
  assert.deepEqual(parseLossless('{"a":1,"a":2}'), { a: 2 })
  const [value] = parseLossless('[{"a":11111111111111111111,"a":{"b":22222222222222222222}}]') as [
    { a: { b: unknown } },
  ]
  assert.ok(isLosslessNumber(value.a.b))
})

test('a key named __proto__ is an ordinary key', () => {
  const text = '{"__proto__":{"id":12345678901234567890}}'
  assert.equal(stringifyLossless(parseLossless(text)), text)
  assert.equal(canonicalText(parseLossless('{"__proto__":1}')), '{"__proto__":1}')
})

test('what is no JSON throws SyntaxError and nothing else', () => {
  const deep = '['.repeat(100_000) + '12345678901234567890' + ']'.repeat(100_000)
  for (const text of ['', '{', 'nope', '{"a":01}', '[1,]', '{"a":12345678901234567890', deep, '\u0000']) {
    assert.throws(() => parseLossless(text), SyntaxError, text.slice(0, 40))
  }
})

test('brackets inside long strings are no nesting', () => {
  const text = JSON.stringify({ t: '[{"\\'.repeat(2000), n: [[[]]] })
  assert.equal(stringifyLossless(parseLossless(text)), text)
})

test('any JSON comes back as it was, and any text either parses like JSON.parse or throws SyntaxError', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      assert.equal(stringifyLossless(parseLossless(text)), text)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\1e.-9 '), maxLength: 40 }), (text) => {
      let expected: unknown
      try {
        expected = JSON.parse(text)
      } catch {
        assert.throws(() => parseLossless(text), SyntaxError)
        return
      }
      assert.equal(
        JSON.stringify(JSON.parse(stringifyLossless(parseLossless(text)))),
        JSON.stringify(expected),
      )
    }),
    { numRuns: 2000 },
  )
})

test('key order does not matter, array order and values do', () => {
  const a = fingerprintOf(parseLossless('{"a":1,"b":{"c":[1,2],"d":12345678901234567890}}'))
  const b = fingerprintOf(parseLossless(' { "b": { "d": 12345678901234567890, "c": [1, 2] }, "a": 1 } '))
  assert.deepEqual(a, b)
  const others = [
    '{"a":1,"b":{"c":[2,1],"d":12345678901234567890}}',
    '{"a":1,"b":{"c":[1,2],"d":12345678901234567891}}',
  ]
  for (const text of others) assert.notDeepEqual(fingerprintOf(parseLossless(text)), a)
  assert.equal(canonicalText({ b: undefined, a: [undefined, null] }), '{"a":[null,null]}')
})

test('the fingerprint is the MD5 of the canonical text', () => {
  assert.deepEqual(fingerprintOf({ b: '好', a: 1 }), createHash('md5').update('{"a":1,"b":"好"}').digest())
})
