import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Choices } from '../../../src/audit/choices.ts'
import type { AuditedSink } from '../../../src/audit/sinks.ts'
import { ChatfeedError } from '../../../src/errors.ts'
import type { Message } from '../../../src/model.ts'
import { message as anyMessage } from '../samples.ts'
import { Books, told, type Written } from './books.ts'

/** A sink over a store that holds these revisions. */
function sink(
  stored: Record<string, number>,
  name = 'search',
): AuditedSink & { asked: number[]; closed: number } {
  const about = {
    name,
    groupId: '',
    asked: [] as number[],
    closed: 0,
    selection: null,
    gathers: false,
    open: () =>
      Promise.resolve({
        of: (ids: readonly string[]) => {
          about.asked.push(ids.length)
          const found = ids.flatMap((id) => (id in stored ? [[id, stored[id]!] as const] : []))
          return Promise.resolve(new Map(found))
        },
        rows: () => Promise.resolve(Object.keys(stored).length),
        close: () => {
          about.closed++
          return Promise.resolve()
        },
      }),
  }
  return about
}

const carried = (t: TestContext, ...records: Written[]) =>
  new Books(t)
    .raw(...records)
    .unique(...records)
    .messages(...records)

const one: Written = { id: 'easemob:a:1', content: 'x' }
const edited: Written = { ...one, content: 'y', revision: 2, origin: '2026112311#4' }
const two: Written = { id: 'easemob:a:2', origin: '2026112310#2' }

test('every id must be in every sink with its highest revision; counts follow the newest revision', async (t) => {
  const search = sink({ 'easemob:a:1': 2, 'easemob:a:2': 1 })
  const archive = sink({ 'easemob:a:1': 3, 'easemob:a:2': 1 }, 'archive')
  const report = await carried(t, one, edited, two).audit({ sinks: [search, archive] })
  assert.equal(report.balanced, true)
  assert.deepEqual(
    report.units.map(({ unit, sinks }) => ({ unit, ...sinks })),
    [
      { unit: '2026112310', search: 1, archive: 1 },
      { unit: '2026112311', search: 1, archive: 1 },
    ],
  )
  assert.deepEqual(report.sinks, [
    { name: 'search', audited: true, askable: true, refused: 0, reason: null },
    { name: 'archive', audited: true, askable: true, refused: 0, reason: null },
  ])
  assert.equal(search.closed, 1)
})

test('an id that a sink lacks is missing there, an older revision is stale', async (t) => {
  const books = carried(t, one, edited, two)
  const report = await books.audit({ sinks: [sink({ 'easemob:a:1': 1 }), sink({}, 'archive')] })
  assert.deepEqual(told(report), [
    'stale sink:search easemob:a:1 2026112311 4',
    'missing sink:search easemob:a:2 2026112310 2',
    'missing sink:archive easemob:a:1 2026112311 4',
    'missing sink:archive easemob:a:2 2026112310 2',
  ])
  assert.match(report.problems[0]?.text ?? '', /messages 0:1 is there in revision 1 instead of 2/)
  assert.deepEqual(
    report.units.map(({ sinks }) => sinks),
    [
      { search: 0, archive: 0 },
      { search: 1, archive: 0 },
    ],
  )
})

test('a sink is asked for many ids at a time, each id once, of the units asked for alone', async (t) => {
  const records = Array.from({ length: 2_500 }, (_, at): Written => ({ id: `easemob:a:${at}` }))
  const other = { id: 'easemob:a:other', origin: '2026112311#1' }
  const search = sink(Object.fromEntries(records.map(({ id = '' }) => [id, 1])))
  const seen: number[] = []
  const report = await carried(t, ...records, other).audit({
    sinks: [search],
    isAudited: (_, unit) => unit === '2026112310',
    onProgress: ({ done }) => seen.push(done),
  })
  assert.equal(report.balanced, true)
  assert.equal(report.units[0]?.sinks['search'], 2_500)
  assert.equal(
    search.asked.reduce((sum, count) => sum + count, 0),
    2_500,
  )
  assert.ok(search.asked.every((count) => count <= 1_000))
  assert.equal(seen.at(-1), 2_501)
})

test('ids that hold a NUL are told apart', async (t) => {
  const strange = { id: 'easemob:a:x\0y' }
  const report = await carried(t, strange, { id: 'easemob:a:x' }).audit({
    sinks: [sink({ 'easemob:a:x': 1 })],
  })
  assert.deepEqual(
    report.problems.map(({ id }) => id),
    [strange.id],
  )
})

test('a store that cannot be asked is not audited, and the whole is not called balanced', async (t) => {
  const unseen = {
    name: 'far',
    groupId: '',
    selection: null,
    gathers: false,
    open: () => Promise.resolve(null),
  }
  const broken = {
    name: 'broken',
    groupId: '',
    selection: null,
    gathers: false,
    open: () => Promise.reject(new ChatfeedError('fatal', 'x', 'It is damaged.')),
  }
  const report = await carried(t, two).audit({ sinks: [unseen, broken, sink({ 'easemob:a:2': 1 })] })
  assert.deepEqual([report.balanced, report.problems], [false, []])
  assert.deepEqual(
    report.sinks.map(({ name, audited }) => `${name} ${audited}`),
    ['far false', 'broken false', 'search true'],
  )
  assert.equal(report.sinks[1]?.reason, 'It is damaged.')
  assert.deepEqual(report.units[0]?.sinks, { far: null, broken: null, search: 1 })
})

test('a store that is not there yet lacks nothing where there are no messages', async (t) => {
  const unseen = {
    name: 'far',
    groupId: '',
    selection: null,
    gathers: false,
    open: () => Promise.resolve(null),
  }
  assert.equal((await new Books(t).audit({ sinks: [unseen] })).balanced, true)
})

test('half an audit says nothing: once stopped, it ends with that', async (t) => {
  const records = Array.from({ length: 2_500 }, (_, at): Written => ({ id: `easemob:a:${at}` }))
  const stopping = new AbortController()
  const search = sink({})
  const auditing = carried(t, ...records).audit({
    sinks: [search],
    signal: stopping.signal,
    onProgress: () => {
      stopping.abort()
    },
  })
  await assert.rejects(auditing, { code: 'stopped' })
  assert.deepEqual([search.asked.length, search.closed], [1, 1])
})

test('what a store holds beyond messages is foreign, but for as much as has come since', async (t) => {
  const stored = { 'easemob:a:1': 1, 'easemob:a:8': 1, 'easemob:a:9': 99 }
  const since = (count: number) => ({ sinks: [sink(stored)], newer: () => Promise.resolve(count) })
  const report = await carried(t, one).audit(since(0))
  assert.deepEqual([report.balanced, report.problemCount], [false, 2])
  assert.match(report.problems[0]?.text ?? '', /sink search holds so many messages that are not there/)
  assert.equal((await carried(t, one).audit(since(1))).problemCount, 1)
  assert.equal((await carried(t, one).audit(since(2))).balanced, true)
  assert.equal((await carried(t, one).audit({ sinks: [sink(stored)] })).balanced, true)
})

test('where a cluster was lost, its store tells', async (t) => {
  const report = await new Books(t).audit({
    sinks: [sink({ 'easemob:a:1': 1 })],
    newer: () => Promise.resolve(0),
  })
  assert.equal(report.balanced, false)
})

const selection = (takes: string, removes: string) => ({
  takes: ({ id }: Message) => takes.includes(id),
  removes: ({ id }: Message) => removes.includes(id),
})

test('a sink that chooses owes the newest revision that it takes, and none that it removes', async (t) => {
  const choosy = { ...sink({ 'easemob:a:1': 1 }, 'some'), selection: selection('', '') }
  const other = { ...sink({}, 'other'), selection: selection('', '') }
  const takenBySome = 1
  const removedBySome = 3
  const report = await new Books(t)
    .raw(one, edited, two)
    .unique(one, edited, two)
    .messages({ ...one, chosen: takenBySome }, edited, { ...two, chosen: removedBySome + 4 })
    .audit({ sinks: [choosy, other] })
  assert.deepEqual(
    report.problems.map(({ kind, where, id }) => `${kind} ${where} ${id}`),
    ['missing sink:other easemob:a:2'],
  )
})

test('a sink that holds more than it takes holds foreign messages', async (t) => {
  const choosy = { ...sink({ 'easemob:a:1': 1, 'easemob:a:2': 1 }, 'some'), selection: selection('', '') }
  const report = await carried(t, { ...one, chosen: 1 }, two).audit({
    sinks: [choosy],
    newer: () => Promise.resolve(0),
  })
  assert.deepEqual(
    report.problems.map(({ where, count }) => `${where} ${count}`),
    ['messages 1'],
  )
})

test('what choices say of a message is told apart sink by sink', () => {
  const sinks = [
    { name: 'all', selection: null },
    { name: 'a', selection: selection('m', '') },
    { name: 'b', selection: selection('mn', 'n') },
  ]
  const choices = new Choices(sinks)
  assert.equal(choices.areNeeded, true)
  assert.equal(choices.of({ ...anyMessage, id: 'm' }), 1 + 4)
  assert.equal(choices.of({ ...anyMessage, id: 'n' }), 12)
  assert.equal(choices.sqlOf('all'), null)
  assert.equal(new Choices([sinks[0]!]).areNeeded, false)
})

test('what a store refused is a dead letter and nothing that it lacks; another sink owes it all the same', async (t) => {
  const report = await carried(t, one)
    .letter('messages', { ...one, offset: 0 }, 'sink:picky')
    .audit({ sinks: [sink({}, 'picky'), sink({}, 'other')] })
  assert.deepEqual(
    report.problems.map(({ where }) => where),
    ['sink:other'],
  )
  assert.deepEqual(
    report.sinks.map(({ refused }) => refused),
    [1, 0],
  )
})

test('a sink whose store can never be asked has passed every message, or lacks so many', async (t) => {
  const hook = { name: 'hook', groupId: '', selection: null, gathers: false, open: null }
  const report = await carried(t, one).audit({ sinks: [hook] })
  assert.deepEqual([report.balanced, report.sinks[0]?.askable], [true, false])
  const standings = [{ stage: 'sink:hook', behind: 3, next: new Map() }]
  const behind = await carried(t, one).audit({ sinks: [hook], standings })
  assert.deepEqual([behind.balanced, behind.problemCount], [false, 3])
  const gathering = await carried(t, one).audit({ sinks: [{ ...hook, gathers: true }], standings })
  assert.equal(gathering.balanced, true, 'what it gathers is behind on purpose')
  assert.match(gathering.sinks[0]?.reason ?? '', /still gathers 3 records/)
})
