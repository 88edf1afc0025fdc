import type { Jieba } from '@node-rs/jieba'
import { bytesPerUnit, cutPlainText } from './plain-text.ts'

/** A query in FTS5's own language; made of letters and digits only, so it is always well formed. */
export interface WordQuery {
  /** Every word, also inside a longer Chinese word or as the beginning of another. */
  anywhere: string
  /** What was typed, in one piece and in whole words. Its matches are among those of `anywhere`. */
  exactly: string
  /** The words, each as its pieces, for marking. */
  words: readonly (readonly string[])[]
}

/** Scripts that are written without spaces: each character is a piece of its own. */
const unspaced = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}`
const letter = String.raw`\p{L}\p{N}\p{M}`
/** The smallest searchable things: a Chinese character, a Latin word, a number, an emoji. */
const piece = new RegExp(
  String.raw`[${unspaced}]|[[${letter}]--[${unspaced}]]+|\p{Extended_Pictographic}`,
  'gv',
)
/** What a person types as one thing: `退款单`, `a@b.example`, `2.5`. */
const chunk = new RegExp(
  String.raw`[${letter}]+(?:[.:@\/_'’\-][${letter}]+)*|\p{Extended_Pictographic}`,
  'gv',
)
const unspacedRun = new RegExp(`[${unspaced}]+`, 'gv')
const scriptRun = new RegExp(`[${unspaced}]+|[^${unspaced}]+`, 'gv')
const beginsUnspaced = new RegExp(`^[${unspaced}]`, 'v')

/** People say the same short things again and again: the words of so many runs are remembered, of at most this length. */
const mostRemembered = 10_000
const longestRemembered = 16

/** A query is a person's: what goes beyond this many code units is left out. */
const longestQuery = 1_000

/** The form in which texts are compared: lower case, full-width letters as plain ones, no accents. */
export function fold(text: string): string {
  const plain = text.toLowerCase().normalize('NFKD')
  return plain.replace(/[\u0300-\u036f]+/g, '').normalize('NFC')
}

/**
 * Cuts texts into words. The index holds every piece of a text in order, so that any part of a Chinese word is
 * found as a phrase of its characters, and behind them the Chinese words of the dictionary, so that whole words
 * can be told from characters that only happen to stand together.
 */
export class Words {
  static #loading: Promise<Words> | undefined
  readonly #jieba: Jieba
  readonly #remembered = new Map<string, Buffer>()
  #bytes = Buffer.allocUnsafe(64 << 10)

  private constructor(jieba: Jieba) {
    this.#jieba = jieba
  }

  /** Loads the dictionary at the first call; it is kept for the life of the process. */
  static load(): Promise<Words> {
    return (Words.#loading ??= (async () => {
      const library = import('@node-rs/jieba')
      const { dict } = await import('@node-rs/jieba/dict.js')
      return new Words((await library).Jieba.withDict(dict))
    })())
  }

  /** The words of a text for the index, a space before each, in UTF-8; valid until the next call. */
  toIndex(text: string): Buffer {
    const runs: string[] = []
    this.#reserve(0, text.length * bytesPerUnit)
    let end = cutPlainText(text, this.#bytes, runs)
    if (end < 0) end = this.#cut(text, runs)
    for (const run of runs) {
      const words = this.#wordsIn(run)
      this.#reserve(end, words.length)
      this.#bytes.set(words, end)
      end += words.length
    }
    return this.#bytes.subarray(0, end)
  }

  /** What a person typed, whatever its punctuation; all of its words must be found. Null where it has no word. */
  toQuery(text: string): WordQuery | null {
    const chunks = fold(text.slice(0, longestQuery)).match(chunk)
    if (!chunks) return null
    const words = chunks.flatMap((typed) => typed.match(scriptRun) ?? []).flatMap((run) => this.#wordsOf(run))
    const inOnePiece = chunks.map((typed) => phrase(piecesOf(typed)))
    const wholeWords = words
      .filter((word) => word.length > 1 && beginsUnspaced.test(word))
      .map((word) => phrase([word]))
    const split = words.map(piecesOf).filter((pieces) => pieces.length > 0)
    return {
      anywhere: split.map(anyPart).join(' AND '),
      exactly: [...inOnePiece, ...wholeWords].join(' AND '),
      words: split,
    }
  }

  /** What `cutPlainText` does, for any text. */
  #cut(text: string, runs: string[]): number {
    const folded = fold(text)
    runs.length = 0
    runs.push(...(folded.match(unspacedRun) ?? []))
    const pieces = Buffer.from(
      piecesOf(folded)
        .map((each) => ` ${each}`)
        .join(''),
    )
    this.#reserve(0, pieces.length)
    return pieces.copy(this.#bytes)
  }

  /** The words of the dictionary in a run of unspaced characters, a space before each. */
  #wordsIn(run: string): Buffer {
    const known = this.#remembered.get(run)
    if (known) return known
    // No guessing of unknown words: their characters are in the index anyway.
    const found = this.#jieba.cutForSearch(run, false).filter((word) => word.length > 1)
    const words = Buffer.from(found.map((word) => ` ${word}`).join(''))
    if (run.length <= longestRemembered) {
      if (this.#remembered.size === mostRemembered) this.#remembered.clear()
      this.#remembered.set(run, words)
    }
    return words
  }

  /** Makes room for so many bytes behind the first `end`, which are kept. */
  #reserve(end: number, more: number): void {
    if (end + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe((end + more) * 2)
    this.#bytes.copy(larger, 0, 0, end)
    this.#bytes = larger
  }

  #wordsOf(run: string): string[] {
    return beginsUnspaced.test(run) ? this.#jieba.cut(run, false) : [run]
  }
}

const piecesOf = (folded: string): string[] => folded.match(piece) ?? []

const phrase = (pieces: readonly string[]): string => `"${pieces.join(' ')}"`

/** The pieces in a row; where they end in letters or digits, every word that begins so. */
function anyPart(pieces: readonly string[]): string {
  return beginsUnspaced.test(pieces.at(-1) ?? '') ? phrase(pieces) : `${phrase(pieces)} *`
}
