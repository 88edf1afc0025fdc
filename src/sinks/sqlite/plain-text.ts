/** What a UTF-16 code unit is to the index; `other` is for the regular expressions to judge. */
const kinds = { other: 0, separator: 1, letter: 2, ideograph: 3, highSurrogate: 4 } as const

/** Of every code unit that means the same in every text. */
const kindOf = new Uint8Array(0x10000)
const mark = (kind: number, ...ranges: readonly (readonly [from: number, to: number])[]): void => {
  for (const [from, to] of ranges) kindOf.fill(kind, from, to + 1)
}
mark(kinds.separator, [0x00, 0x7f])
mark(kinds.letter, [0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a])
mark(kinds.ideograph, [0x4e00, 0x9fa5])
// Dashes, quotation marks, dots and arrows; Chinese and full-width punctuation.
mark(kinds.separator, [0xb7, 0xb7], [0x2010, 0x2014], [0x2018, 0x2019], [0x201c, 0x201d], [0x2026, 0x2026])
mark(kinds.separator, [0x2190, 0x2193], [0x3000, 0x3002], [0x3008, 0x3011], [0x3014, 0x3015])
mark(kinds.separator, [0xff01, 0xff0f], [0xff1a, 0xff20], [0xff3b, 0xff40], [0xff5b, 0xff5e])
mark(kinds.highSurrogate, [0xd83c, 0xd83e])

/** Whether each of these code points is an emoji, which the index holds, or a symbol, which it does not. */
const [firstSymbol, lastSymbol] = [0x1f300, 0x1faff] as const
const isEmoji = Uint8Array.from({ length: lastSymbol - firstSymbol + 1 }, (_, at) =>
  Number(/\p{Extended_Pictographic}/u.test(String.fromCodePoint(firstSymbol + at))),
)

/** Most bytes that `cutPlainText` writes for a code unit. */
export const bytesPerUnit = 4

const space = 0x20

/**
 * Cuts a text of nothing but ASCII, common Chinese characters, common punctuation and emoji: most texts of a chat. Writes
 * what the index holds of it into `out`, from the beginning: every Chinese character, emoji and other word, folded, in
 * order, a space before each; adds its runs of Chinese characters to `runs`. Answers the number of bytes, or -1 for any
 * other text: folding it may change a character by its neighbours.
 */
export function cutPlainText(text: string, out: Buffer, runs: string[]): number {
  let end = 0
  let before: number = kinds.separator
  let runStart = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const kind = kindOf[unit]!
    if (kind === kinds.ideograph) {
      if (before !== kinds.ideograph) runStart = at
      out[end] = space
      out[end + 1] = 0xe0 | (unit >> 12)
      out[end + 2] = 0x80 | ((unit >> 6) & 0x3f)
      out[end + 3] = 0x80 | (unit & 0x3f)
      end += 4
    } else {
      if (before === kinds.ideograph) runs.push(text.slice(runStart, at))
      if (kind === kinds.letter) {
        if (before !== kinds.letter) out[end++] = space
        out[end++] = unit | 0x20 // lower case
      } else if (kind === kinds.highSurrogate) {
        const symbol = text.codePointAt(at)! - firstSymbol
        if (symbol < 0 || symbol >= isEmoji.length) return -1
        at++
        if (isEmoji[symbol]) {
          out[end] = space
          end += 1 + out.write(text.slice(at - 1, at + 1), end + 1)
        }
      } else if (kind === kinds.other) return -1
    }
    before = kind
  }
  if (before === kinds.ideograph) runs.push(text.slice(runStart))
  return end
}
