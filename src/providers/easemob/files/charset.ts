import { isAscii, isUtf8 } from 'node:buffer'

const newline = 0x0a
const utf16or32 = /^(?:\xff\xfe|\xfe\xff|\0\0\xfe\xff|[\s{]\0|\0{1,3}[\s{])/
/** Pairs of GB2312, which nearly all Chinese text in GBK or GB18030 consists of; the last can be cut. */
const gbPairs = /^(?:[\0-\x7f]|[\xa1-\xf7][\xa1-\xfe])*[\xa1-\xf7]?$/
const controls = /[\0-\x08\x0e-\x1f]/

/** What a text without a single message is, told by its first line; follows "The history file". */
export function whatIs(line: Buffer): string {
  const text = line.subarray(0, 256).toString('latin1')
  if (/^\s*</.test(text)) return 'is a web page or an error in XML'
  if (utf16or32.test(text)) return 'is in UTF-16 or UTF-32, not UTF-8'
  if (controls.test(text) || !isUtf8(line)) return 'is neither gz nor text'
  return 'holds no message'
}

/**
 * Whether the start of a text is in GBK: more than half of its lines are. Such lines parse as JSON and would become
 * messages with broken text; a few damaged ones among others are no reason to refuse the rest.
 */
export function isGbk(start: Buffer): boolean {
  if (isAscii(start)) return false
  let gbk = 0
  let lines = 0
  for (let from = 0, end: number; from < start.length; from = end + 1) {
    end = start.indexOf(newline, from)
    const isLast = end < 0
    if (isLast) end = start.length
    const line = start.subarray(from, end)
    lines++
    if (isAscii(line) || isUtf8(line) || (isLast && isUtf8(withoutCutCharacter(line)))) continue
    if (gbPairs.test(line.toString('latin1'))) gbk++
  }
  return gbk * 2 > lines
}

/** The start of a text can end within a character. */
function withoutCutCharacter(line: Buffer): Buffer {
  const first = [1, 2, 3].find((back) => (line.at(-back) ?? 0) >= 0xc0)
  return first === undefined ? line : line.subarray(0, -first)
}
