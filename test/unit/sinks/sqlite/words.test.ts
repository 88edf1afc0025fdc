import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Jieba } from '@node-rs/jieba'
import { dict } from '@node-rs/jieba/dict.js'
import fc from 'fast-check'
import { cutPlainText } from '../../../../src/sinks/sqlite/plain-text.ts'
import { fold, Words } from '../../../../src/sinks/sqlite/words.ts'

let words: Words
let jieba: Jieba
before(async () => {
  words = await Words.load()
  jieba = Jieba.withDict(dict)
})

const unspaced = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}`
const piece = new RegExp(
  String.raw`[${unspaced}]|[[\p{L}\p{N}\p{M}]--[${unspaced}]]+|\p{Extended_Pictographic}`,
  'gv',
)
const unspacedRun = new RegExp(`[${unspaced}]+`, 'gv')

/** What the index of a text must hold, by the rules alone: databases are full of it. */
function indexed(text: string): string {
  const folded = fold(text)
  const runs = folded.match(unspacedRun)?.join(' ') ?? ''
  const found = jieba.cutForSearch(runs, false).filter((word) => word.length > 1)
  return [...(folded.match(piece) ?? []), ...found].map((word) => ` ${word}`).join('')
}

const isPlain = (text: string) => cutPlainText(text, Buffer.alloc(1_000), []) >= 0

const everyCodeUnit = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit))

test('the index of every code unit, alone and between others, is that of the rules', () => {
  for (const unit of everyCodeUnit) {
    for (const text of [unit, `a${unit}B`, `退${unit}款`, `9${unit}单`])
      assert.equal(words.toIndex(text).toString(), indexed(text), JSON.stringify(text))
  }
})

test('the index of a text is that of the rules, whatever the text', () => {
  const plain = everyCodeUnit.filter(isPlain)
  const pool = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...plain) },
    {
      weight: 8,
      arbitrary: fc.constantFrom(
        ...'的一是在不了有和人这中大为上个国我以要他退款申请订单课程回放南京市长大桥',
      ),
    },
    { weight: 3, arbitrary: fc.constantFrom(...'aZ09_-.@ ,，。！？～（）\n\0') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'é',
        'e\u0301',
        'İ',
        'Σ',
        'ß',
        'ｶﾞ',
        'か',
        'ก',
        '한',
        'Ａ',
        '👍🏽',
        '\ud83d',
        '𠮷',
        '々',
      ),
    },
  )
  const text = fc.array(pool, { maxLength: 60 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, (given) => {
      assert.equal(words.toIndex(given).toString(), indexed(given))
    }),
    { numRuns: 3_000, seed: 6 },
  )
})

test('the index of every symbol beyond the basic plane is that of the rules', () => {
  for (let symbol = 0x1f000; symbol < 0x20000; symbol++) {
    const text = `a${String.fromCodePoint(symbol)}退`
    assert.equal(words.toIndex(text).toString(), indexed(text), symbol.toString(16))
  }
})

test('most texts of a chat are plain; where folding looks at neighbours, none is', () => {
  for (const text of ['您好，订单 9001 已出库！', 'Hi, "how" are you? 👍🏽 M → L', '（一）“二”…三😢', ''])
    assert.ok(isPlain(text), text)
  for (const text of ['é', 'e\u0301', 'ﬁ', '한', 'か', '❤️', '🈁', '\ud83d', '\ud83d好', '𠮷', 'Ａ'])
    assert.ok(!isPlain(text), text)
})

test('a text of any length is indexed', () => {
  for (const text of ['退款单👍'.repeat(50_000), '\ufdfa'.repeat(30_000), '中华人民共和国é'.repeat(20_000)])
    assert.equal(words.toIndex(text).toString(), indexed(text))
})

test('texts are indexed alike when their words are no longer remembered', () => {
  const runs = Array.from({ length: 30_000 }, (_, n) =>
    String.fromCharCode(0x4e00 + (n % 20_000), 0x9000 + (n % 901)),
  )
  for (const run of runs) words.toIndex(run)
  for (const run of ['退款单', ...runs.slice(0, 50)])
    assert.equal(words.toIndex(run).toString(), indexed(run))
})
