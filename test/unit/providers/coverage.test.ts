import assert from 'node:assert/strict'
import { test } from 'node:test'
import { easemob } from '../../../src/providers/easemob/index.ts'
import { silentLog } from '../../../src/log.ts'
import type { LedgerEntry } from '../../../src/model.ts'
import { backfilledEntry, coverFrom, isBackfilled, isCovered } from '../../../src/providers/coverage.ts'
import { polyv } from '../../../src/providers/polyv/index.ts'
import type { Source } from '../../../src/providers/provider.ts'
import { ledgerEntry } from '../samples.ts'

const hour = 3_600_000
const now = Date.parse('2026-11-23T12:30:00+08:00')

/** Ledger entries of units; hours of the plain tests are named by their number. */
const ledger = (...entries: [unit: string, nextLookAt: number | null][]): Map<string, LedgerEntry> =>
  new Map(entries.map(([unit, nextLookAt]) => [unit, { ...ledgerEntry, unit, nextLookAt }]))

const startOf = (unit: string): number | null => (/^\d+$/.test(unit) ? Number(unit) * hour : null)
/** The number of the hour at which the list begins that was to begin at hour 50. */
const begins = (known: ReadonlyMap<string, LedgerEntry>): number =>
  coverFrom(50 * hour, known, startOf) / hour

test('with an empty ledger the list begins where it was asked to', () => {
  assert.equal(begins(new Map()), 50)
})

test('the list begins behind the newest known hour when that is older: nothing after it was ever read', () => {
  assert.equal(begins(ledger(['10', null], ['11', null])), 12)
  assert.equal(begins(ledger(['49', null], ['50', null], ['51', null])), 50)
})

test('hours missed in an outage stay listed, though newer ones were read before the process ended', () => {
  assert.equal(begins(ledger(['10', null], ['11', null], ['60', null], ['59', null])), 12)
})

test('the list reaches back to the oldest hour that is to be looked at again', () => {
  assert.equal(begins(ledger(['10', null], ['11', 1], ['12', 1], ['13', null])), 11)
})

test('units of other kinds do not count', () => {
  assert.equal(begins(ledger(['import/old.gz', 1])), 50)
})

/** Hours that only a backfill has read. */
const backfilled = (...units: string[]): Map<string, LedgerEntry> =>
  new Map(units.map((unit) => [unit, backfilledEntry({ ...ledgerEntry, unit })]))

test('what only a backfill has read does not stretch the list, however far back and with whatever gaps', () => {
  assert.equal(begins(backfilled('10', '11', '20')), 50)
  assert.equal(begins(new Map([...backfilled('10'), ...ledger(['49', null], ['50', null])])), 50)
})

test('hours missed in an outage stay listed, though a backfill has read some of them', () => {
  const known = ledger(['10', null], ['11', null], ['60', null])
  assert.equal(begins(new Map([...known, ...backfilled('20', '21')])), 12)
  assert.equal(begins(new Map([...known, ...backfilled('12', '13')])), 14)
})

test('what is written as backfilled reads as backfilled, with all that the reading told', () => {
  const entry = backfilledEntry(ledgerEntry)
  assert.equal(isBackfilled(entry), true)
  assert.equal(isBackfilled(ledgerEntry), false)
  const { state, lines, bytes, digest, lastTriedAt, publishedAt, reason } = ledgerEntry
  assert.deepEqual({ ...entry, state, lines, bytes, digest, lastTriedAt, publishedAt, reason }, entry)
})

test('an hour is backfilled when it was read and closed without having been tried by the job', () => {
  const entry = backfilled('10').get('10')!
  assert.equal(isBackfilled({ ...entry, firstTriedAt: 1 }), false)
  const nailed = { ...entry, state: 'pending' as const, publishedAt: null, nextLookAt: 1 }
  assert.equal(isBackfilled(nailed), false, 'an hour that is to be read is the job’s')
})

test('an hour is the job’s when the job knows it or an earlier one of the same channel', () => {
  const known = new Map([...ledger(['1/2026112310', null]), ...backfilled('1/2026112305', '2/2026112305')])
  const covered = ['1/2026112310', '1/2026112311', '1/2026112309', '2/2026112310', '1/2026112305']
  assert.deepEqual(
    covered.map((unit) => isCovered(unit, known)),
    [true, true, false, false, false],
  )
  assert.equal(isCovered('2026112310', ledger(['import/2020', null])), false)
})

const context = {
  log: silentLog,
  budget: { take: () => Promise.resolve(), pause: () => undefined },
  countRequest: () => undefined,
  now: () => now,
}
const easemobSource = (since: string): Source =>
  easemob.open(
    easemob.config.parse({
      name: 'support',
      provider: 'easemob',
      baseUrl: 'http://127.0.0.1:1',
      org: 'acme',
      app: 'helpdesk',
      clientId: 'i',
      clientSecret: 's',
      since,
    }),
    context,
  )
const polyvSource = (since: string): Source =>
  polyv.open(
    polyv.config.parse({
      name: 'live',
      provider: 'polyv',
      baseUrl: 'http://127.0.0.1:1',
      appId: 'i',
      appSecret: 's',
      channels: ['1', '2'],
      since,
    }),
    context,
  )

async function unitNames(source: Source, known: ReadonlyMap<string, LedgerEntry>): Promise<string[]> {
  try {
    return (await source.units(now, known, AbortSignal.timeout(5_000))).map(({ name }) => name)
  } finally {
    await source.close()
  }
}

const hourName = (atMs: number): string =>
  new Date(atMs + 8 * hour).toISOString().replace(/\D/g, '').slice(0, 10)
const hoursAgo = (hours: number): string => hourName(now - hours * hour)

test('Easemob: after an outage longer than since, every missing hour is listed, the lost ones too', async () => {
  const known = ledger([hoursAgo(101), null], [hoursAgo(100), null])
  const names = await unitNames(easemobSource('72h'), known)
  assert.deepEqual(
    names,
    Array.from({ length: 100 }, (_, at) => hoursAgo(99 - at)),
  )
})

test('Easemob: a first start lists since, and not more than the provider keeps', async () => {
  assert.equal((await unitNames(easemobSource('10h'), new Map())).length, 11)
  assert.equal((await unitNames(easemobSource('30d'), new Map())).length, 73)
})

test('Polyv: each channel is listed from its own newest hour on', async () => {
  const names = await unitNames(polyvSource('24h'), ledger([`1/${hoursAgo(100)}`, null]))
  assert.equal(names.filter((name) => name.startsWith('1/')).length, 100)
  assert.equal(names.filter((name) => name.startsWith('2/')).length, 25)
  assert.equal(names[0], `1/${hoursAgo(99)}`)
})

test('the hours of a range are listed whatever since and retention say, from the first that begins in it', async () => {
  const cases: [Source, string[]][] = [
    [easemobSource('1h'), ['2026111010', '2026111011']],
    [polyvSource('1h'), ['1/2026111010', '2/2026111010', '1/2026111011', '2/2026111011']],
  ]
  for (const [source, expected] of cases) {
    const list = async (from: string, to: string) =>
      (await source.hours(Date.parse(from), Date.parse(to), AbortSignal.timeout(5_000))).map(
        ({ name }) => name,
      )
    assert.deepEqual(await list('2026-11-10T10:00:00+08:00', '2026-11-10T12:00:00+08:00'), expected)
    assert.deepEqual(await list('2026-11-10T09:00:00.001+08:00', '2026-11-10T11:00:00.001+08:00'), expected)
    assert.deepEqual(await list('2026-11-10T10:10:00+08:00', '2026-11-10T10:50:00+08:00'), [])
    await source.close()
  }
})

test('an hour of a range is the unit that the job would read', async () => {
  for (const source of [easemobSource('5h'), polyvSource('5h')]) {
    const signal = AbortSignal.timeout(5_000)
    const units = await source.units(now, new Map(), signal)
    assert.deepEqual(
      await source.hours(units[0]!.closesAt - 3 * hour, now + 1, signal).then((all) => all.at(-1)),
      units.at(-1),
    )
    await source.close()
  }
})

test('imports in the ledger do not stretch the list of a source', async () => {
  assert.equal((await unitNames(easemobSource('10h'), ledger(['import/2020010100.gz', null]))).length, 11)
})
