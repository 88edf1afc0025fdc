/** What a code unit is to the index. */
const kinds = { other: 0, separator: 1, letter: 2, ideograph: 3 } as const

/** Of every UTF-16 code unit that means the same in every text; `other` is for the regular expressions to judge. */
const kindOf = new Uint8Array(0x10000)
const mark = (kind: number, ...ranges: readonly (readonly [from: number, to: number])[]): void => {
  for (const [from, to] of ranges) kindOf.fill(kind, from, to + 1)
}
mark(kinds.separator, [0x00, 0x7f])
mark(kinds.letter, [0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a])
mark(kinds.ideograph, [0x4e00, 0x9fa5])
// Dashes, quotation marks and dots; Chinese and full-width punctuation.
mark(kinds.separator, [0xb7, 0xb7], [0x2010, 0x2014], [0x2018, 0x2019], [0x201c, 0x201d], [0x2026, 0x2026])
mark(kinds.separator, [0x3000, 0x3002], [0x3008, 0x3011], [0x3014, 0x3015])
mark(kinds.separator, [0xff01, 0xff0f], [0xff1a, 0xff20], [0xff3b, 0xff40], [0xff5b, 0xff5e])

/** A text cut into what the index holds of it. */
export interface CutText {
  /** Folded, in order, separated by spaces. */
  pieces: string
  /** Runs of characters that are written without spaces. */
  runs: readonly string[]
}

/**
 * Cuts a text of nothing but ASCII, common Chinese characters and common punctuation: most texts of a chat. Undefined
 * for any other: folding it may change a character by its neighbours.
 */
export function cutPlainText(text: string): CutText | undefined {
  const runs: string[] = []
  let pieces = ''
  let before: number = kinds.separator
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    const kind = at < text.length ? kindOf[text.charCodeAt(at)]! : kinds.separator
    if (kind === kinds.other) return undefined
    if (kind !== before) {
      if (before === kinds.letter) pieces += ` ${text.slice(start, at)}`
      else if (before === kinds.ideograph) runs.push(text.slice(start, at))
      before = kind
      start = at
    }
    if (kind === kinds.ideograph) pieces += ` ${text[at]!}`
  }
  return { pieces: pieces.slice(1).toLowerCase(), runs }
}
