import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pullRange } from '../../../../../src/providers/easemob/pull/paging.ts'
import { type Page, pageLimit, type PageQuery } from '../../../../../src/providers/easemob/pull/page.ts'
import type { RawRecord } from '../../../../../src/providers/provider.ts'

const range = { fromMs: 1000, endMs: 2000 }
const fingerprint = Buffer.alloc(16)

function row(id: number | string, sentAt: number | null): RawRecord {
  return {
    position: String(id),
    messageId: String(id),
    fingerprint,
    sentAt,
    payload: Buffer.from(String(id)),
  }
}

const rows = (...times: (number | null)[]) => times.map((sentAt, index) => row(`${sentAt}/${index}`, sentAt))

/** Reads the range from pages that are answered in order, the last one for ever. */
async function readPages(...pages: (Page | ((query: PageQuery) => Page))[]) {
  const queries: PageQuery[] = []
  const accepted: string[] = []
  const failure = await pullRange(
    (query) => {
      const page = pages[Math.min(queries.length, pages.length - 1)]!
      queries.push({ ...query })
      return Promise.resolve(typeof page === 'function' ? page(query) : page)
    },
    range,
    (records) => {
      accepted.push(...records.map(({ position }) => String(position)))
      return Promise.resolve()
    },
  )
  return { failure, queries, accepted, distinct: new Set(accepted).size }
}

const full = (count: number, sentAt: (index: number) => number) =>
  Array.from({ length: count }, (_, index) => row(`${sentAt(index)}/${index}`, sentAt(index)))

test('one page without a cursor is the range', async () => {
  const { failure, queries, accepted } = await readPages({ rows: rows(1000, 1999), cursor: null })
  assert.equal(failure, null)
  assert.deepEqual(queries, [{ afterMs: 999, cursor: null }])
  assert.equal(accepted.length, 2)
})

test('only rows of the range are taken, and those that tell no time', async () => {
  const { failure, accepted } = await readPages({ rows: rows(999, 1000, null, 1999, 2000), cursor: null })
  assert.equal(failure, null)
  assert.deepEqual(accepted, ['1000/1', 'null/2', '1999/3'])
})

test('the query stays while pages are turned, until one lies behind the end', async () => {
  const { failure, queries, accepted } = await readPages(
    { rows: rows(1000), cursor: 'a' },
    { rows: rows(1500, 2000), cursor: 'b' },
    { rows: rows(2001), cursor: 'c' },
  )
  assert.equal(failure, null)
  assert.deepEqual(queries, [
    { afterMs: 999, cursor: null },
    { afterMs: 999, cursor: 'a' },
    { afterMs: 999, cursor: 'b' },
  ])
  assert.equal(accepted.length, 2)
})

test('rows out of order are taken all the same', async () => {
  const { accepted } = await readPages(
    { rows: rows(2500, 1700, 1000), cursor: 'a' },
    { rows: rows(1100, 2600), cursor: null },
  )
  assert.equal(accepted.length, 3)
})

test('rows without a time do not carry the reading past the end', async () => {
  const { failure, queries, accepted } = await readPages(
    { rows: rows(1000), cursor: 'a' },
    { rows: rows(null, 2000), cursor: 'b' },
  )
  assert.equal(failure, null)
  assert.equal(queries.length, 2)
  assert.deepEqual(accepted, ['1000/0', 'null/0'])
})

test('empty pages with a cursor are turned, but not for ever', async () => {
  const none = { rows: [], cursor: 'x' }
  const some = await readPages(
    { ...none, cursor: 'a' },
    { ...none, cursor: 'b' },
    { rows: rows(1000), cursor: null },
  )
  assert.deepEqual([some.failure, some.accepted.length], [null, 1])
  let serial = 0
  const endless = await readPages(() => ({ rows: [], cursor: String(serial++) }))
  assert.match(endless.failure?.reason ?? '', /nothing new/)
  assert.ok(serial < 30)
})

test('a repeated cursor is gone around by time', async () => {
  for (const repeats of [
    ['a', 'a'],
    ['a', 'b', 'a'],
  ]) {
    const pages = repeats.map((cursor, index) => ({
      rows: rows(...[1100, 1200, 1300].slice(0, index + 1)),
      cursor,
    }))
    const { failure, queries, accepted } = await readPages(...pages, ({ afterMs, cursor }) => {
      assert.equal(cursor, null)
      assert.equal(afterMs, [1100, 1200, 1300][repeats.length - 1]! - 1)
      return { rows: rows(afterMs + 1, 1900), cursor: null }
    })
    assert.equal(failure, null)
    assert.equal(queries.length, repeats.length + 1)
    assert.ok(accepted.some((position) => position.startsWith('1900')))
  }
})

test('where rows ever descended and no cursor leads on, the range is a failure', async () => {
  const again = { rows: rows(1900), cursor: null }
  const descending: Page[][] = [
    [{ rows: rows(1500, 1100, 1900), cursor: 'a' }, { rows: rows(1200, 1300), cursor: 'a' }, again],
    [{ rows: rows(1500, 1600), cursor: 'a' }, { rows: rows(1100, 1900), cursor: 'a' }, again],
    [
      { rows: rows(1500, null, 1400), cursor: 'a' },
      { rows: rows(1600, 1900), cursor: 'b' },
      { rows: [], cursor: 'a' },
      again,
    ],
    [{ rows: full(pageLimit, (index) => 1999 - (index >> 1)), cursor: null }],
  ]
  for (const pages of descending) {
    const { failure } = await readPages(...pages)
    assert.match(failure?.reason ?? '', /not in order of time/)
  }
})

test('a service that begins with the newest rows is not taken for one without rows in the range', async () => {
  const { failure, accepted } = await readPages(
    { rows: rows(2600, 2500), cursor: 'a' },
    { rows: rows(2000, 1999), cursor: 'b' },
    { rows: rows(1000, 900), cursor: null },
  )
  assert.equal(failure, null)
  assert.deepEqual(accepted, ['1999/1', '1000/0'])
})

test('going on by time is no descent', async () => {
  const { failure, distinct } = await readPages(
    { rows: rows(1100, 1200, 2500), cursor: 'a' },
    { rows: rows(null), cursor: 'a' },
    { rows: rows(1200, 1300), cursor: 'a' },
    { rows: rows(null, null), cursor: 'a' },
    { rows: rows(1300), cursor: null },
  )
  assert.deepEqual([failure, distinct], [null, 7])
})

test('a cursor that leads in circles and to nothing new is a failure, not a short hour', async () => {
  for (const page of [
    { rows: rows(1100, 1200), cursor: 'a' },
    { rows: [], cursor: 'a' },
  ]) {
    const { failure, queries } = await readPages(page)
    assert.deepEqual(failure, { state: 'failed', reason: 'the cursor leads in circles' })
    assert.ok(queries.length < 10)
  }
})

test('a full page without a cursor is asked on by time', async () => {
  const first = full(pageLimit, (index) => 1000 + (index >> 1))
  const more = [first.at(-2)!, first.at(-1)!, row('new', 1499)]
  const { failure, queries, distinct } = await readPages(
    { rows: first, cursor: null },
    { rows: more, cursor: null },
  )
  assert.equal(failure, null)
  assert.deepEqual(queries, [
    { afterMs: 999, cursor: null },
    { afterMs: 1498, cursor: null },
  ])
  assert.equal(distinct, pageLimit + 1)
})

test('a last page that happens to be full is whole', async () => {
  const page = { rows: full(pageLimit, (index) => 1000 + (index >> 1)), cursor: null }
  const { failure, queries } = await readPages(page)
  assert.equal(failure, null)
  assert.equal(queries.length, 2)
})

test('a millisecond that fills a page without a cursor is a failure', async () => {
  const page = { rows: full(pageLimit, () => 1500), cursor: null }
  assert.match((await readPages(page)).failure?.reason ?? '', /share one millisecond/)
})

test('a service that does not heed the query is a failure, not an empty hour', async () => {
  const { failure } = await readPages({ rows: rows(1, 2, 999), cursor: null })
  assert.match(failure?.reason ?? '', /before the time asked for/)
})

test('a page that fails ends the reading with its reason', async () => {
  const failure = await pullRange(
    () => Promise.resolve({ state: 'failed', reason: 'x' }),
    range,
    () => Promise.reject(new Error('nothing to accept')),
  )
  assert.deepEqual(failure, { state: 'failed', reason: 'x' })
})

test('every row of the range is met, whatever the pages and however many share a moment', async () => {
  const times = fc.array(fc.integer({ min: 950, max: 2050 }), { maxLength: 60 })
  const clumped = fc.array(fc.constantFrom(1000, 1001, 1999, 2000), { maxLength: 40 })
  const server = fc.record({
    size: fc.integer({ min: 1, max: 7 }),
    emptyEvery: fc.integer({ min: 2, max: 5 }),
  })
  const property = fc.asyncProperty(times, clumped, server, async (some, more, { size, emptyEvery }) => {
    const all = rows(...[...some, ...more].sort((a, b) => a - b))
    let calls = 0
    const { failure, accepted } = await readPages(({ afterMs, cursor }) => {
      const found = all.filter(({ sentAt }) => sentAt! > afterMs)
      const from = Number(cursor?.split(' ')[0] ?? 0)
      const isEmpty = ++calls % emptyEvery === 0
      const to = isEmpty ? from : from + size
      return { rows: found.slice(from, to), cursor: to < found.length ? `${to} ${calls}` : null }
    })
    assert.equal(failure, null)
    const wanted = all.filter(({ sentAt }) => sentAt! >= 1000 && sentAt! < 2000)
    assert.deepEqual(
      accepted,
      wanted.map(({ position }) => position),
    )
  })
  await fc.assert(property, { numRuns: 300 })
})
