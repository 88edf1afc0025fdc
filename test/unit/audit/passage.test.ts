import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SeenMessages } from '../../../src/stages/seen-messages.ts'
import type { Standing } from '../../../src/audit/stages.ts'
import { contentOf } from '../stages/contents.ts'
import { Books, daysAgo, now, told, windowMs, type Written } from './books.ts'

const one: Written = { id: 'easemob:a:1', origin: '2026112310#1', content: 'x' }
const two: Written = { id: 'easemob:a:2', origin: '2026112310#2', content: 'x' }

test('what was carried through balances, repeats in raw included', async (t) => {
  const { balanced, units } = await new Books(t)
    .raw(one, two, one)
    .unique(one, two)
    .messages(two, one)
    .audit()
  assert.equal(balanced, true)
  const [unit] = units
  assert.deepEqual([unit?.raw, unit?.unique, unit?.messages, unit?.dead], [2, 2, 2, 0])
})

test('a content of raw that never came into unique is missing there, once', async (t) => {
  const edited = { ...one, content: 'y', fetchedAt: now + 1 }
  const report = await new Books(t).raw(one, two, edited, edited).unique(one, two).messages(one, two).audit()
  assert.deepEqual(told(report), ['missing unique easemob:a:1 2026112310 1'])
  assert.match(report.problems[0]?.text ?? '', /raw\.easemob 0:2 is not there/)
})

test('a stale copy is not missing: dedup met a newer one before it', async (t) => {
  const stale = { ...one, content: 'old', fetchedAt: now - 1 }
  const books = (...raw: Written[]) =>
    new Books(t)
      .raw(...raw)
      .unique(one)
      .messages(one)
  assert.equal((await books(one, stale).audit()).balanced, true)
  // The other way round it was new when it came.
  assert.deepEqual(told(await books(stale, one).audit()), ['missing unique easemob:a:1 2026112310 1'])
})

test('a copy that came when dedup had forgotten the newer one is missing', async (t) => {
  const long = { ...one, ts: daysAgo(40) }
  const older = { ...one, content: 'old', fetchedAt: now - 1, ts: daysAgo(5) }
  const report = await new Books(t).raw(long, older).unique(long).messages(long).audit()
  assert.deepEqual(told(report), ['missing unique easemob:a:1 2026112310 1'])
})

test('only an accepted copy makes others stale, with the time when that one was fetched', async (t) => {
  // The repeat fetched later was dropped, so the copy between the two was new.
  const repeat = { ...one, fetchedAt: now + 10 }
  const between = { ...one, content: 'y', fetchedAt: now + 5 }
  const report = await new Books(t).raw(one, repeat, between).unique(one).messages(one).audit()
  assert.deepEqual(told(report), ['missing unique easemob:a:1 2026112310 1'])
})

test('a newer copy counts from where it was accepted, not from where its content or its reading is met first', async (t) => {
  const copy = (content: string, at: number, revision = 1): Written => ({
    ...one,
    content,
    fetchedAt: now + at,
    revision,
  })
  const newest = copy('z', 10, 2)
  const lost = copy('y', 7)
  // Met before the lost one: a repeat out of the same reading; the same content, when it was stale.
  for (const [first, before] of [
    [one, copy('x', 10)],
    [copy('x', 5), copy('z', 2)],
  ] as const) {
    const accepted = [first, newest]
    const report = await new Books(t)
      .raw(first, before, lost, newest)
      .unique(...accepted)
      .messages(...accepted)
      .audit()
    assert.deepEqual(told(report), ['missing unique easemob:a:1 2026112310 1'])
  }
})

test('what dedup passes and drops, whatever comes, is balanced; a record taken out of unique is missed', async (t) => {
  const step = fc.record({
    id: fc.constantFrom('easemob:a:1', 'easemob:a:2'),
    content: fc.constantFrom('x', 'y', 'z'),
    fetchedAt: fc.integer({ min: 0, max: 5 }),
  })
  const steps = fc.array(step, { minLength: 1, maxLength: 25 })
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(), async (raw, choice) => {
      const seen = new SeenMessages(windowMs)
      const accepted = raw.flatMap(({ id, content, fetchedAt }): Written[] => {
        const one = contentOf(id, Buffer.from(content.padEnd(16, '.')))
        if (seen.judge(one, fetchedAt) !== 'new') return []
        return [{ id, content, fetchedAt, revision: seen.accept(one, fetchedAt, now) }]
      })
      const balanced = await new Books(t)
        .raw(...raw)
        .unique(...accepted)
        .messages(...accepted)
        .audit()
      assert.deepEqual(told(balanced), [])
      const taken = accepted[choice % accepted.length]!
      const left = accepted.filter((record) => record !== taken)
      const report = await new Books(t)
        .raw(...raw)
        .unique(...left)
        .messages(...left)
        .audit()
      const missing = report.problems.map(({ where, id }) => `${where} ${id}`)
      assert.ok(missing.includes(`unique ${taken.id}`), 'the one that was taken out is missing')
    }),
    { numRuns: 60 },
  )
})

test('a content that unique no longer keeps has aged, and is not missing', async (t) => {
  const ts = daysAgo(31)
  const again = { ...one, ts: daysAgo(29) }
  const gone = { goneBeforeMs: { unique: daysAgo(30) } }
  const carried = () => new Books(t).raw({ ...one, ts }, again)
  assert.equal(
    (
      await carried()
        .messages({ ...one, ts })
        .audit(gone)
    ).balanced,
    true,
  )
  assert.equal(
    (
      await carried()
        .letter('unique', { ...one, ts, offset: 5 })
        .audit(gone)
    ).balanced,
    true,
  )
  assert.equal((await carried().audit(gone)).problemCount, 1, 'nothing says that it ever came through')
})

test('a record deleted from unique before its time is missing', async (t) => {
  const report = await new Books(t)
    .raw({ ...one, ts: daysAgo(3) })
    .messages({ ...one, ts: daysAgo(3) })
    .audit({ goneBeforeMs: { unique: daysAgo(30) } })
  assert.deepEqual(told(report), ['missing unique easemob:a:1 2026112310 1'])
})

test('a new content of a message that dedup has long forgotten has not aged', async (t) => {
  const report = await new Books(t)
    .raw({ ...one, content: 'y', ts: now })
    .messages({ ...one, ts: daysAgo(60) })
    .audit({ goneBeforeMs: { unique: daysAgo(30) } })
  assert.equal(report.problemCount, 1)
})

test('where messages are not kept for good, what was first read before unique begins has aged', async (t) => {
  const books = () =>
    new Books(t).ledger({ lines: 1, publishedAt: daysAgo(31) }).raw({ ...one, ts: daysAgo(29) })
  const gone = { unique: daysAgo(30), raw: daysAgo(30) }
  assert.equal((await books().audit({ goneBeforeMs: { ...gone, messages: daysAgo(7) } })).balanced, true)
  assert.equal((await books().audit({ goneBeforeMs: gone })).balanced, false)
})

test('a revision of unique that never came into messages is missing there', async (t) => {
  const edited = { ...one, content: 'y', revision: 2 }
  const report = await new Books(t).raw(one, edited).unique(one, edited).messages(one).audit()
  assert.deepEqual(told(report), ['missing messages easemob:a:1 2026112310 1'])
  assert.match(report.problems[0]?.text ?? '', /unique 0:1 is not there/)
})

test('a dead letter stands for the record that it names, and for no other', async (t) => {
  const books = () => new Books(t).raw(one).unique({ ...one, partition: 2, offset: 40 })
  assert.equal((await books().letter('unique', { partition: 2, offset: 40 }).audit()).balanced, true)
  for (const other of [
    { partition: 1, offset: 40 },
    { partition: 2, offset: 41 },
  ]) {
    const report = await books().letter('unique', other).audit()
    assert.deepEqual(told(report), ['missing messages easemob:a:1 2026112310 1'])
  }
  const ofRaw = await books().letter('raw', { partition: 2, offset: 40 }).audit()
  assert.equal(ofRaw.balanced, false)
})

test('what messages or dead let go of in due time is not missing', async (t) => {
  const books = () => new Books(t).raw(one).unique({ ...one, ts: daysAgo(8) })
  for (const topic of ['messages', 'dead']) {
    assert.equal((await books().audit({ goneBeforeMs: { [topic]: daysAgo(7) } })).balanced, true)
    assert.equal((await books().audit({ goneBeforeMs: { [topic]: daysAgo(9) } })).balanced, false)
  }
})

test('where messages keeps only the newest revision, older ones are not missing', async (t) => {
  const edited = { ...one, content: 'y', revision: 2, fetchedAt: now + 1 }
  const books = () => new Books(t).raw(one, edited).unique(one, edited).messages(edited)
  assert.equal((await books().audit({ isCompacted: true })).balanced, true)
  assert.equal((await books().audit()).balanced, false)
})

test('a record that is no raw message must be in dead, and counts under no unit', async (t) => {
  for (const topic of ['raw', 'unique'] as const) {
    const books = () => new Books(t).unreadable(topic, { partition: 1, offset: 9 })
    const report = await books().audit()
    assert.deepEqual(
      report.problems.map(({ kind, where, id, source, unit }) => ({ kind, where, id, source, unit })),
      [{ kind: 'missing', where: 'dead', id: null, source: '', unit: '' }],
    )
    assert.equal((await books().letter(topic, { partition: 1, offset: 9 }).audit()).balanced, true)
    assert.equal((await books().audit({ isAudited: (source) => source !== '' })).balanced, true)
  }
})

test('what is no message in messages is told, for it stops the sinks', async (t) => {
  const report = await new Books(t).unreadable('messages').audit()
  assert.deepEqual([report.balanced, report.problems], [true, []])
  assert.match(report.notes.join(), /messages holds 1 foreign record/)
})

test('only the units asked for are judged, and others still explain them', async (t) => {
  const elsewhere = { ...one, origin: '2026112309#8' }
  const lonely = { ...two, origin: '2026112309#9' }
  const books = () => new Books(t).raw(elsewhere, one, lonely).unique(elsewhere).messages(elsewhere)
  const isAudited = (_: string, unit: string) => unit === '2026112310'
  const report = await books().audit({ isAudited })
  assert.deepEqual([report.balanced, report.units.map(({ unit }) => unit)], [true, ['2026112310']])
  assert.deepEqual(told(await books().audit()), ['missing unique easemob:a:2 2026112309 9'])
})

test('of what is missing it is told whether the stage has passed it or has yet to come', async (t) => {
  const standing = (next: number): Standing[] => [
    { stage: 'dedup', behind: 7, next: new Map([['raw.easemob', new Map([[0, next]])]]) },
  ]
  const text = async (next: number) =>
    (await new Books(t).raw(one).audit({ standings: standing(next) })).problems[0]?.text ?? ''
  assert.match(await text(0), /; dedup is 7 records behind and yet to come: run chatfeed up$/)
  assert.match(await text(1), /; dedup has passed it$/)
})

test('a line without an id is never taken for a stale copy of the line at its place in another file', async (t) => {
  const line = { id: 'easemob:a:import/history.ndjson#2', origin: 'import/history.ndjson#2' }
  const newer = { ...line, content: 'a', fetchedAt: now }
  const older = { ...line, content: 'b', fetchedAt: now - 1 }
  const report = await new Books(t).raw(newer, older).unique(newer).messages(newer).audit()
  assert.deepEqual(told(report), ['missing unique easemob:a:import/history.ndjson#2 import/history.ndjson 2'])
})
