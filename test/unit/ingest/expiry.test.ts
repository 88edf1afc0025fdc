import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test, type TestContext } from 'node:test'
import { ChatfeedError } from '../../../src/errors.ts'
import { runSource } from '../../../src/ingest/source-loop.ts'
import { newEntry } from '../../../src/ingest/entry.ts'
import { showExpiry } from '../../../src/ingest/expiry.ts'
import { silentLog } from '../../../src/log.ts'
import { metrics, registry } from '../../../src/metrics.ts'
import type { LedgerEntry } from '../../../src/model.ts'
import type { Source, Unit } from '../../../src/providers/provider.ts'
import { hour, published } from './readings.ts'

const start = Date.parse('2026-11-24T12:00:00Z')
const unit = (name: string, hoursLeft: number | null): Unit => ({
  name,
  opensAt: start - 1,
  closesAt: start,
  pollEveryMs: null,
  lookAgainMs: [],
  deadline: hoursLeft === null ? null : start + hoursLeft * hour,
})

/** What the gauge says of the source, in hours; null where it says nothing. */
async function hoursLeft(): Promise<number | null> {
  const found = (await metrics.unitExpiry.get()).values.find(({ labels }) => labels.source === 's')
  return found ? found.value / 3_600 : null
}

/** Runs a source over these units on a clock that the test moves. */
function run(t: TestContext, units: Source['units'], read: Source['read'], ...known: LedgerEntry[]) {
  t.mock.timers.enable({ apis: ['Date'], now: start })
  const stopping = new AbortController()
  t.after(() => {
    stopping.abort()
  })
  const ledger = new Map(known.map((entry) => [entry.unit, entry]))
  const source: Source = {
    name: 's',
    provider: 'fake',
    tenant: 't',
    units,
    hours: () => Promise.resolve([]),
    read,
    check: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  }
  const record = (entry: LedgerEntry) => Promise.resolve(void ledger.set(entry.unit, entry))
  const ended = runSource(
    {
      source,
      log: silentLog,
      signal: stopping.signal,
      now: Date.now,
      entries: () => ledger,
      record,
      remember: (entry) => void ledger.set(entry.unit, entry),
      publishing: (_name, reading) => reading(() => undefined),
      onStatus: () => undefined,
    },
    false,
  )
  return {
    ended,
    stop: () => {
      stopping.abort()
    },
  }
}

/** Resolves when the source has read so many units. */
const never = () => new Promise<never>(() => undefined)

test('the gauge tells of the first unit to go, tried or not, and counts down while another is read', async (t) => {
  const units = [unit('read', 1), unit('untried', 5), unit('later', 9), unit('for ever', null)]
  let begun = () => {}
  const isReading = new Promise<void>((resolve) => (begun = resolve))
  const done = { ...newEntry('s', units[0]!), state: 'published' as const, nextLookAt: null }
  run(
    t,
    () => Promise.resolve(units),
    () => (begun(), never()),
    done,
  )
  await isReading
  assert.equal(await hoursLeft(), 5)
  t.mock.timers.setTime(start + 2 * hour)
  assert.equal(await hoursLeft(), 3)
  assert.match(await registry.metrics(), /chatfeed_unit_expiry_seconds\{source="s"\} 10800/)
})

test('a failed unit counts, one that was read or is lost does not', async (t) => {
  const units = ['lost', 'empty', 'failed'].map((name, at) => unit(name, at + 1))
  const known = units.map((given) => ({
    ...newEntry('s', given),
    state: given.name as LedgerEntry['state'],
    nextLookAt: null,
  }))
  let begun = () => {}
  const isReading = new Promise<void>((resolve) => (begun = resolve))
  run(
    t,
    () => Promise.resolve(units),
    () => (begun(), never()),
    ...known,
  )
  await isReading
  assert.equal(await hoursLeft(), 3)
})

test('the hours of a source that has stopped for good run out all the same', async (t) => {
  const read = () => Promise.reject(new ChatfeedError('fatal', 'credentials', 'The secret is wrong.'))
  const { ended, stop } = run(t, () => Promise.resolve([unit('a', 5)]), read)
  await assert.rejects(ended)
  t.mock.timers.setTime(start + 6 * hour)
  assert.equal(await hoursLeft(), -1)
  stop()
  assert.equal(await hoursLeft(), null, 'another process has the source now')
})

test('while the provider does not even give a list, the ledger tells what runs out, also during the rest', async (t) => {
  let asked = () => {}
  const wasAsked = new Promise<void>((resolve) => (asked = resolve))
  const units = () => {
    asked()
    return Promise.reject(new ChatfeedError('transient', 'banned', 'Banned.', { retryAfterMs: 300_000 }))
  }
  const { ended, stop } = run(t, units, never, newEntry('s', unit('a', 5)))
  await wasAsked
  t.mock.timers.setTime(start + hour)
  assert.equal(await hoursLeft(), 4)
  stop()
  await ended
})

test('sources that share a signal share one listener, and are all forgotten with it', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: start })
  const leaving = new AbortController()
  for (const source of ['s', 's2', 's', 's3']) showExpiry(source, [unit('a', 5)], new Map(), leaving.signal)
  assert.equal(getEventListeners(leaving.signal, 'abort').length, 1)
  assert.equal(await hoursLeft(), 5)
  leaving.abort()
  assert.deepEqual((await metrics.unitExpiry.get()).values, [])
})

test('a list that comes when the source has left is not shown any more', async (t) => {
  let give: (units: Unit[]) => void = () => undefined
  let asked = () => {}
  const wasAsked = new Promise<void>((resolve) => (asked = resolve))
  const { stop, ended } = run(
    t,
    () => (asked(), new Promise((resolve) => (give = resolve))),
    () => Promise.resolve({ state: 'failed', reason: 'cut short' }),
  )
  await wasAsked
  stop()
  give([unit('a', 5)])
  await ended
  assert.equal(await hoursLeft(), null)
})

test('with everything read the gauge says nothing', async (t) => {
  const { stop, ended } = run(
    t,
    () => Promise.resolve([unit('a', 5)]),
    () => Promise.resolve(published),
  )
  while ((await hoursLeft()) !== null) await new Promise((resolve) => setImmediate(resolve))
  stop()
  await ended
})
