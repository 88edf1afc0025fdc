import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Books, daysAgo, now, told, windowMs, type Written } from './books.ts'

const one: Written = { id: 'easemob:a:1', content: 'x' }

test('a revision that is in messages twice is doubled, in whichever partitions', async (t) => {
  const books = new Books(t)
    .raw(one)
    .unique(one)
    .messages(one, { ...one, partition: 2, offset: 7, ts: now + 5 })
  const report = await books.audit()
  assert.deepEqual(told(report), ['doubled messages easemob:a:1 2026112310 1'])
  assert.match(report.problems[0]?.text ?? '', /messages 2:7 is there once more/)
})

test('every record but the first is a problem', async (t) => {
  const report = await new Books(t).raw(one).unique(one).messages(one, one, one).audit()
  assert.equal(report.problemCount, 2)
})

test('a revision or a content that is in unique twice is doubled', async (t) => {
  const sameRevision = { ...one, content: 'y' }
  const sameContent = { ...one, revision: 2 }
  for (const double of [sameRevision, sameContent, one]) {
    const books = new Books(t)
      .raw(one)
      .unique(one, double)
      .messages(one, { ...one, revision: 2 })
    assert.deepEqual(told(await books.audit()), ['doubled unique easemob:a:1 2026112310 1'])
  }
})

test('other revisions with other contents are no doubles, nor is the same content of two messages', async (t) => {
  const records = [one, { ...one, content: 'y', revision: 2 }, { ...one, id: 'easemob:a:2' }]
  const report = await new Books(t)
    .raw(...records)
    .unique(...records)
    .messages(...records)
    .audit()
  assert.equal(report.balanced, true)
})

test('after the window of dedup a repeat counts as new', async (t) => {
  const apart = (ms: number) => [one, { ...one, ts: now + ms, fetchedAt: now + ms }]
  const audit = (ms: number) =>
    new Books(t)
      .raw(...apart(ms))
      .unique(...apart(ms))
      .messages(...apart(ms))
      .audit()
  assert.equal((await audit(windowMs)).balanced, true)
  const { tally } = await audit(windowMs - 3_600_000)
  assert.deepEqual(
    tally.map(({ kind, where, count }) => ({ kind, where, count })),
    [
      { kind: 'doubled', where: 'unique', count: 1 },
      { kind: 'doubled', where: 'messages', count: 1 },
    ],
  )
})

test('a message that waited for enrich till the next came is no double of it, one fetched together is', async (t) => {
  const late = { ...one, ts: now, fetchedAt: daysAgo(31) }
  const books = (other: Written) => new Books(t).raw(one).unique(one).messages(late, other)
  assert.equal((await books({ ...one, ts: now + 1 }).audit()).balanced, true)
  assert.equal((await books({ ...late, ts: now + 1 }).audit()).problemCount, 1)
})
