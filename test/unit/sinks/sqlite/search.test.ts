import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { DatabaseSync } from '@photostructure/sqlite'
import fc from 'fast-check'
import type { Message } from '../../../../src/model.ts'
import { searchMessages } from '../../../../src/sinks/sqlite/search.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { messageSet } from '../../../support/message-set.ts'
import { freshPath, openAt } from './fresh.ts'

/** Stores one message a text, each a minute newer than the one before; gives back a search for texts. */
async function stored(t: TestContext, texts: readonly string[], overrides: Partial<Message> = {}) {
  const path = freshPath(t)
  const store = await openAt(t, path)
  const messages = texts.map((text, n) =>
    exampleMessage({
      id: `easemob:acme#helpdesk:${n}`,
      text,
      sentAt: 1_795_399_200_000 + n * 60_000,
      ...overrides,
    }),
  )
  store.write([messageSet(0, messages, messages.length)])
  const search = (text: string, limit = 100) => searchMessages(path, text, limit)
  const found = async (text: string) => (await search(text)).hits.map((hit) => hit.text)
  return { path, store, search, found }
}

test('a Chinese word, a part of one and one character find the message', async (t) => {
  const { found } = await stored(t, ['课程回放在哪里可以看？', '请把退款单发给我', '您好'])
  for (const text of ['课程', '课', '程', '课程回放', '回放在'])
    assert.deepEqual(await found(text), ['课程回放在哪里可以看？'], text)
  for (const text of ['退款', '退款单', '款单', '单'])
    assert.deepEqual(await found(text), ['请把退款单发给我'], text)
})

test('a Latin word is found by its beginning, in any case, with or without accents and full-width letters', async (t) => {
  const text = 'What does "Eigenvalue" mean, Inês? ＡＢＣ１２'
  const { found } = await stored(t, [text, 'something else'])
  for (const query of ['eigen', 'EIGENVALUE', 'ines', 'INÊS', 'abc12', 'ａｂｃ'])
    assert.deepEqual(await found(query), [text], query)
  for (const query of ['value', 'igen']) assert.deepEqual(await found(query), [], query)
})

test('several words must all be found, in any order', async (t) => {
  const { found } = await stored(t, [
    '我想申请退款',
    '退款的申请已登记',
    '退款多久到账',
    'refund for order 17',
  ])
  assert.deepEqual(await found('退款 申请'), ['退款的申请已登记', '我想申请退款'])
  assert.deepEqual(await found('order refund'), ['refund for order 17'])
  assert.deepEqual(await found('order 退款'), [])
})

test('what holds the query as typed and in whole words comes first, then the newest', async (t) => {
  const { found } = await stored(t, [
    '退款单在这里',
    '还是退款单',
    '退款，再开一张单',
    'order',
    'orders',
    'order',
  ])
  assert.deepEqual(await found('退款单'), ['还是退款单', '退款单在这里', '退款，再开一张单'])
  assert.deepEqual(await found('order'), ['order', 'order', 'orders'])
})

test('characters that only happen to stand together come after the word', async (t) => {
  const { found, search } = await stored(t, ['这是京城名菜', '南京城市地图'])
  assert.deepEqual(await found('京城'), ['这是京城名菜', '南京城市地图'])
  assert.equal((await search('京城', 1)).hits[0]?.text, '这是京城名菜')
})

test('numbers, addresses and emoji are found', async (t) => {
  const texts = [
    '版本 2.5 已发布',
    '共 5 件 2 箱',
    '写信到 rosa@acme.example',
    '听得很清楚👍🏽',
    '第5题选B',
    '𠮷野家',
  ]
  const { found } = await stored(t, texts)
  assert.deepEqual(await found('2.5'), ['版本 2.5 已发布'])
  assert.deepEqual(await found('rosa@acme.example'), ['写信到 rosa@acme.example'])
  assert.deepEqual(await found('👍'), ['听得很清楚👍🏽'])
  assert.deepEqual(await found('第5题'), ['第5题选B'])
  assert.deepEqual(await found('𠮷野'), ['𠮷野家'])
})

test('nothing a person types is a syntax error', async (t) => {
  const { search } = await stored(t, ['AND or NOT "near" (a* b) - c: 退款 {x} ^y'])
  const typed = [
    '"',
    '""',
    '*',
    'a*',
    'AND',
    'AND OR',
    'NOT near',
    'near(a b)',
    '(',
    ')',
    '-',
    '-c',
    'words:a',
    '^y',
    '{x}',
    "'",
    '\\',
    ';',
    '\0',
    '\ud800',
    '退款"',
    '退款*',
    '-退款',
    '%',
    '_',
  ]
  for (const text of typed) await search(text)
  assert.equal((await search('AND "退款" -c (a*')).total, 1)
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (text) => void (await search(text))),
  )
})

test('a query without a word finds nothing', async (t) => {
  const { search } = await stored(t, ['您好！'])
  for (const text of ['', '   ', '！？', '"*"'])
    assert.deepEqual(await search(text), { total: 0, hits: [] }, text)
})

test('an endless query is answered', async (t) => {
  const { search } = await stored(t, ['您好'])
  assert.equal((await search('您好'.repeat(100_000))).total, 1)
})

test('any part of a stored text finds it', async (t) => {
  const texts = [
    '我想申请退款，需要提供什么材料',
    '会员积分怎么兑换？M→L',
    'Hi, how long does 快递 to 杭州 take?',
    'カタカナとひらがな',
    '한국어 메시지',
  ]
  const { found } = await stored(t, texts)
  const part = fc
    .constantFrom(...texts)
    .chain((text) => fc.tuple(fc.constant(text), fc.nat(text.length - 1), fc.integer({ min: 1, max: 8 })))
  await fc.assert(
    fc.asyncProperty(part, async ([text, from, length]) => {
      // Latin and Korean words are found from their beginning.
      const start = text.slice(0, from).search(/[a-z가-힣]+$/i)
      const typed = text.slice(start < 0 ? from : start, from + length)
      fc.pre(/[\p{L}\p{N}]/u.test(typed))
      assert.ok((await found(typed)).includes(text), typed)
    }),
  )
})

test('a hit tells everything the JSON form promises', async (t) => {
  const { search } = await stored(t, ['我想申请退款'])
  assert.deepEqual(await search('退款'), {
    total: 1,
    hits: [
      {
        id: 'easemob:acme#helpdesk:0',
        sentAt: 1_795_399_200_000,
        source: 'support',
        conversationId: 'agent.xu|lin.yue',
        sender: '林月',
        text: '我想申请退款',
        status: 'visible',
        snippet: '我想申请«退款»',
      },
    ],
  })
})

test('the total counts all matches, the limit cuts the hits', async (t) => {
  const { search } = await stored(t, ['退款一', '退款二', '退款三'])
  const { total, hits } = await search('退款', 2)
  assert.equal(total, 3)
  assert.deepEqual(
    hits.map((hit) => hit.text),
    ['退款三', '退款二'],
  )
})

test('deleted messages are found and say that they are', async (t) => {
  const { search } = await stored(t, ['退款'], { status: 'deleted' })
  assert.equal((await search('退款')).hits[0]?.status, 'deleted')
})

test('a search reads beside an open write transaction', async (t) => {
  const { path, search } = await stored(t, ['退款'])
  const writer = new DatabaseSync(path)
  t.after(() => writer.close())
  writer.exec("begin immediate; update messages set text = 'unfinished'")
  assert.equal((await search('退款')).hits[0]?.text, '退款')
})

test('without a database the search says to run chatfeed up, and makes none', async (t) => {
  const path = freshPath(t)
  const refusal = { remedy: 'fatal', code: 'search_nothing_stored', mend: /chatfeed up/ }
  await assert.rejects(searchMessages(path, '退款', 10), refusal)
  assert.equal(existsSync(path), false)
  writeFileSync(path, '')
  await assert.rejects(searchMessages(path, '退款', 10), refusal)
})
