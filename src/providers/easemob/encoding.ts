import { isAscii, isUtf8 } from 'node:buffer'

const newline = 0x0a
const utf16 = /^(?:\xff\xfe)?[\s{]\0|^(?:\xfe\xff)?\0[\s{]/
/** Pairs of GB2312, which nearly all Chinese text in GBK or GB18030 consists of. */
const gbPairs = /^(?:[\0-\x7f]|[\xa1-\xf7][\xa1-\xfe])*$/

/**
 * Why a text is no UTF-8 text of JSON lines, seen from its start; null where it looks like one. Lines that are damaged
 * one by one are no reason: the rest of the text can be read.
 */
export function faultOfText(start: Buffer): string | null {
  const text = start.subarray(0, 64).toString('latin1')
  if (/^(?:\xef\xbb\xbf)?\s*</.test(text)) return 'is a web page or an error in XML'
  if (utf16.test(text)) return 'is in UTF-16, not UTF-8'
  return isGbk(start) ? 'is in GBK, not UTF-8' : null
}

function isGbk(start: Buffer): boolean {
  if (isAscii(start)) return false
  let gbk = 0
  let utf8 = 0
  for (let from = 0, end: number; from < start.length; from = end + 1) {
    end = start.indexOf(newline, from)
    const isLast = end < 0
    if (isLast) end = start.length
    const line = start.subarray(from, end)
    if (isAscii(line)) continue
    if (isUtf8(line) || (isLast && isUtf8(withoutCutCharacter(line)))) utf8++
    else if (gbPairs.test(line.toString('latin1'))) gbk++
  }
  return gbk > utf8
}

/** The start of a text can end within a character. */
function withoutCutCharacter(line: Buffer): Buffer {
  const first = [1, 2, 3].find((back) => (line.at(-back) ?? 0) >= 0xc0)
  return first === undefined ? line : line.subarray(0, -first)
}
