import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Books, daysAgo, now, told, type Written } from './books.ts'

/** A reading of the hour 2026112310 that met these positions. */
const look = (positions: readonly (number | string)[], fetchedAt = now): Written[] =>
  positions.map((position) => ({ id: `easemob:a:${position}`, origin: `2026112310#${position}`, fetchedAt }))

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

/** Carried through, so that only the lines can be wrong. */
function carried(books: Books, ...looks: Written[][]): Books {
  const raw = looks.flat()
  const once = [...new Map(raw.map((record) => [record.id, record])).values()]
  return books
    .raw(...raw)
    .unique(...once)
    .messages(...once)
}

test('an hour is whole when one reading of it lies in raw with every line', async (t) => {
  const books = carried(new Books(t).ledger({ lines: 4 }), look([1, 2]), look([4, 3, 2, 1, 1], now + 1))
  const { balanced, units } = await books.audit()
  assert.equal(balanced, true)
  const [unit] = units
  assert.deepEqual([unit?.lines, unit?.raw, unit?.unique, unit?.messages], [4, 4, 4, 4])
})

test('of a short hour the missing lines are named', async (t) => {
  const books = carried(new Books(t).ledger({ lines: 6 }), look([2, 3, 5]), look([1], now + 1))
  const report = await books.audit()
  assert.deepEqual(
    told(report),
    [1, 4, 6].map((position) => `missing raw - 2026112310 ${position}`),
  )
  assert.match(report.problems[0]?.text ?? '', /3 of 6 lines/)
  assert.deepEqual([report.balanced, report.problemCount, report.units[0]?.problems], [false, 3, 3])
})

test('two parts of a closed hour do not make a whole: no reading of it was complete', async (t) => {
  const books = carried(new Books(t).ledger({ lines: 4 }), look([1, 2]), look([3, 4], now + 1))
  assert.deepEqual(told(await books.audit()), ['missing raw - 2026112310 1', 'missing raw - 2026112310 2'])
})

test('when many lines are missing the first are named and the rest counted', async (t) => {
  const books = carried(new Books(t).ledger({ lines: 1_000 }), look(range(901, 950)))
  const report = await books.audit()
  assert.equal(report.problems.length, 21)
  assert.equal(report.problemCount, 950)
  assert.deepEqual(told(report).slice(-2), ['missing raw - 2026112310 20', 'missing raw - 2026112310 - ×930'])
  assert.equal(report.truncated, false)
})

test('an hour of which raw holds nothing is missing whole', async (t) => {
  const report = await new Books(t).ledger({ lines: 7 }).audit()
  assert.deepEqual(told(report), ['missing raw - 2026112310 - ×7'])
})

test('an open hour publishes only what is new: all its readings together must hold its lines', async (t) => {
  const open = { lines: 4, state: 'pending', publishedAt: null } as const
  const looks = [look(['a', 'b']), look(['c'], now + 1)]
  const report = await carried(new Books(t).ledger(open), ...looks).audit()
  assert.deepEqual(told(report), ['missing raw - 2026112310 -'])
  const whole = await carried(new Books(t).ledger(open), ...looks, look(['d'], now + 2)).audit()
  assert.equal(whole.balanced, true)
})

test('where positions are words lines are messages: one can stand at two positions', async (t) => {
  const twice = [...look(['a', 'b']), { id: 'easemob:a:a', origin: '2026112310#a?status=censor' }]
  assert.equal((await carried(new Books(t).ledger({ lines: 2 }), twice).audit()).balanced, true)
  const report = await carried(new Books(t).ledger({ lines: 3 }), twice).audit()
  assert.deepEqual(told(report), ['missing raw - 2026112310 -'])
  assert.equal(report.units[0]?.raw, 3)
})

test('ids of messages that look like numbers of lines are not taken for such', async (t) => {
  const report = await carried(new Books(t).ledger({ lines: 3 }), look([500, 700])).audit()
  assert.deepEqual(told(report), ['missing raw - 2026112310 -'])
})

test('an hour read longer ago than raw keeps records is not called short, and that is said', async (t) => {
  const books = () => carried(new Books(t).ledger({ lines: 3, publishedAt: daysAgo(31) }), look([1, 2]))
  const aged = await books().audit({ goneBeforeMs: { raw: daysAgo(30) } })
  assert.deepEqual([aged.balanced, aged.problems], [true, []])
  assert.match(aged.notes.join(), /^1 unit is older than raw topics keep records/)
  assert.equal((await books().audit({ goneBeforeMs: { raw: daysAgo(32) } })).problemCount, 1)
  assert.equal((await books().audit()).problemCount, 1)
})

test('hours that wait are listed with their state and are no problem', async (t) => {
  const report = await new Books(t)
    .ledger({ unit: '2026112311', state: 'not_yet', lines: 0, publishedAt: null })
    .ledger({ unit: '2026112313', state: 'empty', lines: 0 })
    .audit()
  assert.equal(report.balanced, true)
  assert.deepEqual(
    report.units.map(({ unit, state }) => `${unit} ${state}`),
    ['2026112311 not_yet', '2026112313 empty'],
  )
})

test('a lost hour is missing at the provider, with its reason', async (t) => {
  const reason = 'gone before it could be read: expired'
  const report = await new Books(t).ledger({ state: 'lost', lines: 0, publishedAt: null, reason }).audit()
  assert.deepEqual(told(report), ['missing provider - 2026112310 -'])
  assert.equal(report.problems[0]?.text, reason)
})

test('records of a unit that the ledger does not know are listed as pending', async (t) => {
  const report = await carried(new Books(t), look([1])).audit()
  assert.equal(report.balanced, true)
  assert.deepEqual(
    report.units.map(({ unit, state, lines, raw }) => ({ unit, state, lines, raw })),
    [{ unit: '2026112310', state: 'pending', lines: 0, raw: 1 }],
  )
})

test('units that have long been due are told: nobody reads them', async (t) => {
  const due = (nextLookAt: number) =>
    ({ unit: String(nextLookAt), state: 'empty', lines: 0, nextLookAt }) as const
  const { balanced, notes } = await new Books(t)
    .ledger(due(now + 1))
    .ledger(due(now - 3_500_000))
    .ledger(due(now - 3_700_000))
    .audit()
  assert.equal(balanced, true)
  assert.match(notes.join(), /^1 unit is due to be read for more than an hour/)
})

test('an open hour that nobody polls any more is not short when raw has let go of it', async (t) => {
  const open = { lines: 4, state: 'pending', publishedAt: null, nextLookAt: daysAgo(40) } as const
  const { balanced, notes } = await new Books(t).ledger(open).audit({ goneBeforeMs: { raw: daysAgo(30) } })
  assert.equal(balanced, true)
  assert.match(notes.join(), /1 unit is older than raw topics keep records/)
  const recent = new Books(t).ledger({ ...open, nextLookAt: now })
  assert.equal((await recent.audit({ goneBeforeMs: { raw: daysAgo(30) } })).problemCount, 4)
})

test('what failed is not accounted for: an hour, or a saved file that nobody will read again', async (t) => {
  const reason = 'the file is cut short'
  for (const unit of ['2026112310', 'import/history.gz']) {
    const report = await new Books(t)
      .ledger({ unit, state: 'failed', lines: 3, publishedAt: null, reason })
      .audit()
    assert.equal(report.balanced, false)
    assert.deepEqual(told(report), [`missing provider - ${unit} -`])
    assert.match(report.problems[0]?.text ?? '', /not read: the file is cut short/)
  }
})

test('a later look that the ledger knows must lie in raw itself, though an earlier one had as many lines', async (t) => {
  const books = () => new Books(t).ledger({ lines: 2, lastTriedAt: now + 10 })
  const report = await carried(books(), look([1, 2], now)).audit()
  assert.deepEqual(report.problemCount, 2)
  assert.equal((await carried(books(), look([1, 2], now), look([1, 2], now + 11)).audit()).balanced, true)
  // A look that failed tells its reason, and takes nothing back.
  const failed = new Books(t).ledger({
    lines: 2,
    lastTriedAt: now + 10,
    reason: 'at a later look: throttled',
  })
  assert.equal((await carried(failed, look([1, 2], now)).audit()).balanced, true)
})
