import type { Jieba } from '@node-rs/jieba'
import { cutPlainText, type CutText } from './plain-text.ts'

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
  readonly #remembered = new Map<string, string>()

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

  /** The words of a text, separated by spaces, for the index. */
  toIndex(text: string): string {
    const { pieces, runs } = cutPlainText(text) ?? cutText(text)
    let words = pieces
    for (const run of runs) words += this.#rememberedWordsIn(run)
    return words
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

  #rememberedWordsIn(run: string): string {
    if (run.length > longestRemembered) return this.#wordsIn(run)
    let words = this.#remembered.get(run)
    if (words === undefined) {
      words = this.#wordsIn(run)
      if (this.#remembered.size === mostRemembered) this.#remembered.clear()
      this.#remembered.set(run, words)
    }
    return words
  }

  /** The words of the dictionary in a run of unspaced characters, a space before each. */
  #wordsIn(run: string): string {
    let words = ''
    // No guessing of unknown words: their characters are in the index anyway.
    for (const word of this.#jieba.cutForSearch(run, false)) if (word.length > 1) words += ` ${word}`
    return words
  }

  #wordsOf(run: string): string[] {
    return beginsUnspaced.test(run) ? this.#jieba.cut(run, false) : [run]
  }
}

function cutText(text: string): CutText {
  const folded = fold(text)
  return { pieces: piecesOf(folded).join(' '), runs: folded.match(unspacedRun) ?? [] }
}

const piecesOf = (folded: string): string[] => folded.match(piece) ?? []

const phrase = (pieces: readonly string[]): string => `"${pieces.join(' ')}"`

/** The pieces in a row; where they end in letters or digits, every word that begins so. */
function anyPart(pieces: readonly string[]): string {
  return beginsUnspaced.test(pieces.at(-1) ?? '') ? phrase(pieces) : `${phrase(pieces)} *`
}
