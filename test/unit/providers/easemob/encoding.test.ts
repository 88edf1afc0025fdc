import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultOfText } from '../../../../src/providers/easemob/encoding.ts'

/** 你好, 中国 in GBK. */
const hello = Buffer.from([0xc4, 0xe3, 0xba, 0xc3])
const china = Buffer.from([0xd6, 0xd0, 0xb9, 0xfa])
const lines = (...texts: (string | Buffer)[]) =>
  Buffer.concat(texts.flatMap((text) => [Buffer.from('{"msg":"'), Buffer.from(text), Buffer.from('"}\n')]))

test('JSON lines in UTF-8 have no fault, with a mark, blanks and damaged lines', () => {
  const texts: (string | Buffer)[] = [
    '',
    '{}',
    '\ufeff{"a":1}\n',
    '\n\n  {"a":"<html>"}',
    lines('你好', hello),
    lines('ascii', Buffer.from([0xed, 0xa0, 0x80])),
    lines('ascii', Buffer.from([0xff, 0xfe, 0x00])),
    lines('ascii', Buffer.from([0xf0, 0x9f, 0x98])),
    lines('caf\u00e9', Buffer.from('Zo\u00eb said', 'latin1')),
  ]
  for (const text of texts) assert.equal(faultOfText(Buffer.from(text)), null, JSON.stringify(text))
})

test('pages, UTF-16 and GBK are told apart', () => {
  const utf16 = Buffer.from('{"a":"你好"}\n', 'utf16le')
  const mark = Buffer.from([0xff, 0xfe])
  const cases: [Buffer | string, RegExp][] = [
    ['<html>', /web page/],
    ['\ufeff\n <?xml ?>', /web page/],
    [utf16, /UTF-16/],
    [Buffer.concat([mark, utf16]), /UTF-16/],
    [Buffer.concat([mark, utf16]).swap16(), /UTF-16/],
    [Buffer.from(utf16).swap16(), /UTF-16/],
    [lines(hello), /GBK/],
    [lines(hello, 'ascii', china), /GBK/],
    [lines(hello, china, '你好'), /GBK/],
    [lines(Buffer.concat([hello, Buffer.from(' ok '), china])).subarray(0, -1), /GBK/],
  ]
  for (const [text, expected] of cases) assert.match(faultOfText(Buffer.from(text)) ?? '', expected)
})

test('a start that ends within a character is no fault', () => {
  const text = Buffer.concat([Buffer.from('{"msg":"ascii"}\n'), lines('你好😢')])
  for (let length = 1; length <= text.length; length++)
    assert.equal(faultOfText(text.subarray(0, length)), null, String(length))
})
