import { fold } from './words.ts'

/** Set around every match in a snippet. */
export const marks = { open: '«', close: '»' } as const

/** Code units before the first match, and in all. */
const lead = 20
const length = 80

/**
 * The part of `text` around its first match, in one line, every match between `«` and `»`, `…` where text is left
 * out. Control characters become spaces, so that a hostile text cannot steer a terminal.
 */
export function snippetOf(text: string, words: readonly (readonly string[])[]): string {
  const matches = matchesIn(text, words)
  const start = boundary(text, Math.max(0, (matches[0]?.from ?? 0) - lead))
  const end = boundary(text, Math.min(text.length, start + length))
  let snippet = start > 0 ? '…' : ''
  let at = start
  for (const { from, to } of matches) {
    if (from < at || to > end) continue
    snippet += text.slice(at, from) + marks.open + text.slice(from, to) + marks.close
    at = to
  }
  snippet += text.slice(at, end) + (end < text.length ? '…' : '')
  return snippet.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}

interface Range {
  from: number
  to: number
}

/** Where the words stand in the text, in order, touching ones as one; found in its folded form and carried back. */
function matchesIn(text: string, words: readonly (readonly string[])[]): Range[] {
  let folded = ''
  const origins: number[] = []
  let at = 0
  for (const character of text) {
    const plain = fold(character)
    folded += plain
    for (let unit = 0; unit < plain.length; unit++) origins.push(at)
    at += character.length
  }
  origins.push(at)
  const ranges: Range[] = []
  for (const match of folded.matchAll(pattern(words))) {
    const from = origins[match.index] ?? at
    const to = origins[match.index + match[0].length] ?? at
    const last = ranges.at(-1)
    if (last && last.to >= from) last.to = to
    else ranges.push({ from, to })
  }
  return ranges
}

/** Longer words first; a word of letters only where it begins. Pieces hold nothing that a pattern would read. */
function pattern(words: readonly (readonly string[])[]): RegExp {
  const between = String.raw`[^\p{L}\p{N}]*`
  const alternatives = words
    .map((pieces) => pieces.join(between))
    .sort((a, b) => b.length - a.length)
    .map((word) =>
      /^[\p{Script=Latin}\p{N}]/u.test(word) ? String.raw`(?<![\p{Script=Latin}\p{N}])${word}` : word,
    )
  return new RegExp(alternatives.join('|'), 'gu')
}

/** The index, moved back off the middle of a surrogate pair. */
function boundary(text: string, index: number): number {
  const unit = text.charCodeAt(index)
  return unit >= 0xdc00 && unit <= 0xdfff && index > 0 ? index - 1 : index
}
