import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isGbk, whatIs } from '../../../../../src/providers/easemob/files/charset.ts'

/** 你好, 中国 in GBK. */
const hello = Buffer.from([0xc4, 0xe3, 0xba, 0xc3])
const china = Buffer.from([0xd6, 0xd0, 0xb9, 0xfa])
const lines = (...texts: (string | Buffer)[]) =>
  Buffer.concat(texts.flatMap((text) => [Buffer.from('{"msg":"'), Buffer.from(text), Buffer.from('"}\n')]))

test('lines in UTF-8 are not taken for GBK, whatever mark, blanks and damaged lines stand among them', () => {
  const texts: (string | Buffer)[] = [
    '',
    '{}',
    '\ufeff{"a":1}\n',
    lines('你好', hello),
    lines('ascii', hello),
    lines(hello, 'ascii', '你好'),
    lines(hello, china, 'ascii', '你好'),
    lines(Buffer.from([0xed, 0xa0, 0x80])),
    lines(Buffer.from([0xff, 0xfe, 0x00])),
    lines(Buffer.from([0xf0, 0x9f, 0x98])),
    lines(Buffer.from('Zo\u00eb said', 'latin1')),
  ]
  for (const text of texts) assert.equal(isGbk(Buffer.from(text)), false, JSON.stringify(text))
})

test('a text is in GBK when most of its lines are, also where it is cut within a character', () => {
  const texts = [
    lines(hello),
    lines(hello, 'ascii', china),
    lines(hello, china, '你好'),
    lines(hello, Buffer.concat([hello, Buffer.from(' ok '), china])).subarray(0, -4),
  ]
  for (const text of texts) assert.equal(isGbk(text), true, text.toString('latin1'))
})

test('a start that ends within a character is no fault', () => {
  const text = Buffer.concat([Buffer.from('{"msg":"ascii"}\n'), lines('你好😢')])
  for (let length = 1; length <= text.length; length++)
    assert.equal(isGbk(text.subarray(0, length)), false, String(length))
})

test('what holds no message is told by its first line', () => {
  const utf16 = Buffer.from('{"a":"你好"}\n', 'utf16le')
  const utf32 = Buffer.from(Array.from('{"a":1}').flatMap((char) => [char.charCodeAt(0), 0, 0, 0]))
  const mark = Buffer.from([0xff, 0xfe])
  const cases: [Buffer | string, RegExp][] = [
    ['<html>', /web page/],
    [' <?xml ?>', /web page/],
    [utf16, /UTF-16/],
    [Buffer.concat([mark, utf16]), /UTF-16/],
    [Buffer.concat([mark, utf16]).swap16(), /UTF-16/],
    [Buffer.from(utf16).swap16(), /UTF-16/],
    [utf32, /UTF-32/],
    [Buffer.from(utf32).swap32(), /UTF-32/],
    ['PK\u0003\u0004', /neither gz nor text/],
    [Buffer.from([0xc3, 0x28, 0xa0, 0xa1]), /neither gz nor text/],
    ['{"code":"AccessDenied","message":"你"}', /holds no message/],
    ['Service Unavailable', /holds no message/],
  ]
  for (const [line, expected] of cases) assert.match(whatIs(Buffer.from(line)), expected)
})
