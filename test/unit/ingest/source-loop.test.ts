import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError } from '../../../src/errors.ts'
import { newEntry } from '../../../src/ingest/entry.ts'
import {
  newPass,
  runSource,
  type SourceLoopOptions,
  type SourceStatus,
} from '../../../src/ingest/source-loop.ts'
import { silentLog } from '../../../src/log.ts'
import type { LedgerEntry } from '../../../src/model.ts'
import { backfilledEntry } from '../../../src/providers/coverage.ts'
import type { Publish, Reading, Source, Unit } from '../../../src/providers/provider.ts'

const hour = 3_600_000
const published: Reading = { state: 'published', lines: 2, bytes: 20, digest: 'd' }
const unit = (name: string, fields: Partial<Unit> = {}): Unit => ({
  name,
  opensAt: 0,
  closesAt: 0,
  pollEveryMs: null,
  lookAgainMs: [],
  deadline: null,
  ...fields,
})
const throttled = () => new ChatfeedError('transient', 'throttled', 'Too many calls.', { retryAfterMs: 1 })

type Read = (
  name: string,
  attempt: number,
  publish: Publish,
  signal: AbortSignal,
) => Reading | Promise<Reading>

/** A source with these units, and a ledger. `written` are the entries of readings, `nailed` those from before. */
function loop(units: readonly Unit[], read: Read) {
  const stopping = new AbortController()
  const ledger = new Map<string, LedgerEntry>()
  const attempts = new Map<string, number>()
  const written: LedgerEntry[] = []
  const nailed: string[] = []
  const readings: string[] = []
  const statuses: SourceStatus[] = []
  let now = 10 * hour
  const source: Source = {
    name: 's',
    provider: 'fake',
    tenant: 't',
    units: () => Promise.resolve([...units]),
    hours: () => Promise.resolve([]),
    async read({ name }, publish, signal) {
      const attempt = (attempts.get(name) ?? 0) + 1
      attempts.set(name, attempt)
      readings.push(name)
      return read(name, attempt, publish, signal)
    },
    check: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  }
  const options: SourceLoopOptions = {
    source,
    log: silentLog,
    signal: stopping.signal,
    now: () => now,
    entries: () => ledger,
    record: (entry) => {
      ledger.set(entry.unit, entry)
      if (entry.attempts > 0) written.push(entry)
      else nailed.push(entry.unit)
      return Promise.resolve()
    },
    remember: (entry) => ledger.set(entry.unit, entry),
    publishing: (_name, reading) => reading(() => undefined),
    onStatus: (status) => statuses.push(status),
  }
  return {
    options,
    ledger,
    written,
    nailed,
    readings,
    statuses,
    once: () => runSource(options, true),
    live: () => runSource(options, false),
    stop: () => {
      stopping.abort()
    },
    at: (ms: number) => {
      now = ms
    },
  }
}

test('a once run reads every due unit once, and ends', async () => {
  const units = [unit('a'), unit('b', { opensAt: 1 }), unit('later', { opensAt: 11 * hour })]
  const { once, readings, written } = loop(units, () => published)
  assert.deepEqual(await once(), { units: 2, lines: 4, lost: [], failed: [] })
  assert.deepEqual(readings, ['b', 'a'])
  assert.deepEqual(
    written.map(({ unit: name, state }) => `${name} ${state}`),
    ['b published', 'a published'],
  )
})

test('the oldest units are in the ledger before the first reading, so that a crash leaves no gap unseen', async () => {
  const units = [unit('1/9'), unit('2/9'), unit('1/10', { opensAt: hour }), unit('2/10', { opensAt: hour })]
  const run = loop(units, () => {
    assert.deepEqual(run.nailed, ['1/9', '2/9'])
    return published
  })
  await run.once()
  await run.once()
  assert.deepEqual(run.nailed, ['1/9', '2/9'])
})

test('an hour that somebody else has read meanwhile is not read again', async () => {
  const run = loop([unit('a'), unit('b', { opensAt: 1 })], () => published)
  run.options.catchUp = () => {
    if (run.written[0]) run.ledger.set('a', { ...run.written[0], unit: 'a' })
    return Promise.resolve()
  }
  await run.once()
  assert.deepEqual(run.readings, ['b'])
})

/** What a backfill books for a unit. */
const booked = (name: string): LedgerEntry => ({
  ...newEntry('s', unit(name)),
  state: 'published',
  attempts: 1,
  lines: 7,
  digest: 'b',
  lastTriedAt: 5,
  publishedAt: 5,
  nextLookAt: null,
})

/** A loop during whose readings a backfill books the unit; seen only when the ledger is looked at anew. */
function besideBackfill(read: Read, name = 'a') {
  let isBooked = false
  const run = loop([unit(name)], (...reading) => {
    isBooked = true
    return read(...reading)
  })
  run.options.catchUpNow = () => {
    if (isBooked && run.written.length === 0) run.ledger.set(name, booked(name))
    return Promise.resolve(true)
  }
  return run
}

for (const end of [
  { state: 'failed', reason: 'cut short', retryAfterMs: 600_000 },
  { state: 'not_yet', reason: 'no file' },
  { state: 'lost', reason: 'expired' },
] satisfies Reading[])
  test(`an hour that a backfill has read during a long reading stays published when that ends ${end.state}`, async () => {
    const run = besideBackfill(() => end)
    await run.once()
    const { state, lines, digest, publishedAt, attempts } = run.written[0]!
    assert.deepEqual([state, lines, digest, publishedAt, attempts], ['published', 7, 'b', 5, 2])
  })

test('an hour that a backfill has read stays published when the reading of the job stops the source', async () => {
  const run = besideBackfill(() => {
    throw new ChatfeedError('fatal', 'credentials', 'The secret is wrong.')
  })
  await assert.rejects(run.once(), { code: 'credentials' })
  assert.deepEqual([run.written[0]?.state, run.written[0]?.publishedAt], ['published', 5])
})

test('an hour that a backfill has read stays published when the job puts it off', async () => {
  const run = besideBackfill(() => {
    throw throttled()
  })
  await run.once()
  assert.deepEqual([run.written[0]?.state, run.written[0]?.publishedAt], ['published', 5])
})

test('an hour that a backfill books while the provider is asked for its list is not begun anew', async () => {
  const run = loop([unit('a'), unit('b', { opensAt: hour })], () => published)
  run.options.catchUpNow = () => Promise.resolve(run.ledger.set('a', booked('a')).size > 0)
  await run.once()
  assert.deepEqual([run.nailed, run.readings], [['b'], ['b']])
})

test('a source that is stopped while it looks at the ledger books nothing', async () => {
  for (const read of [
    () => published,
    () => {
      throw throttled()
    },
  ]) {
    const run = loop([unit('a')], read)
    run.options.catchUpNow = () => {
      if (run.readings.length > 0) run.stop()
      return Promise.resolve(!run.options.signal.aborted)
    }
    assert.equal((await run.once()).units, 0)
    assert.deepEqual(run.written, [])
  }
})

test('hours that only a backfill has read are not the oldest that the job knows', async () => {
  const run = loop(
    [unit('1/8'), unit('1/9', { opensAt: hour }), unit('1/10', { opensAt: 2 * hour })],
    () => published,
  )
  run.ledger.set('1/8', backfilledEntry(booked('1/8')))
  await run.once()
  assert.deepEqual(run.nailed, ['1/9'])
})

test('a once run does not wait for an open hour to close', async () => {
  const open = unit('open', { opensAt: 10 * hour, closesAt: 11 * hour, pollEveryMs: 0 })
  const { once, readings } = loop([open], () => published)
  await once()
  assert.deepEqual(readings, ['open'])
})

test('a second once run reads nothing that is done', async () => {
  const run = loop([unit('a')], () => published)
  await run.once()
  assert.equal((await run.once()).units, 0)
})

test('lost units are named in the summary', async () => {
  const { once } = loop([unit('a')], () => ({ state: 'lost', reason: 'expired' }))
  assert.deepEqual((await once()).lost, ['a: expired'])
})

test('a failed reading is tried again within a once run', async () => {
  const { once, readings, ledger } = loop([unit('a')], (_, attempt) =>
    attempt === 1 ? { state: 'failed', reason: 'cut short' } : published,
  )
  assert.deepEqual((await once()).failed, [])
  assert.deepEqual(readings, ['a', 'a'])
  assert.equal(ledger.get('a')?.attempts, 2)
})

test('a once run does not insist where the provider asks for a longer rest', async () => {
  const { once, readings } = loop([unit('a')], () => ({
    state: 'failed',
    reason: 'no such channel',
    retryAfterMs: 600_000,
  }))
  assert.deepEqual((await once()).failed, ['a: no such channel'])
  assert.equal(readings.length, 1)
})

test('a fault of the source that passes is waited out for as long as the provider said', async () => {
  const startedAt = Date.now()
  const { once, readings } = loop([unit('a')], (_, attempt) => {
    if (attempt > 1) return published
    throw new ChatfeedError('transient', 'throttled', 'Too many calls.', { retryAfterMs: 60 })
  })
  assert.equal((await once()).units, 1)
  assert.deepEqual(readings, ['a', 'a'])
  assert.ok(Date.now() - startedAt >= 59)
})

test('a source that stops tells what was read before', async () => {
  const { options } = loop([unit('old'), unit('new', { opensAt: 1 })], (name) => {
    if (name === 'new') return published
    throw new ChatfeedError('fatal', 'credentials', 'The secret is wrong.')
  })
  const summary = newPass()
  await assert.rejects(runSource(options, true, summary), { code: 'credentials' })
  assert.deepEqual(summary, { units: 1, lines: 2, lost: [], failed: [] })
})

test('a provider that says "at once" again and again is asked more and more calmly', async () => {
  const startedAt = Date.now()
  const { options } = loop([unit('a')], () => {
    throw new ChatfeedError('transient', 'throttled', 'Too many calls.', { retryAfterMs: 0 })
  })
  assert.equal((await runSource(options, true)).failed.length, 1)
  assert.ok(Date.now() - startedAt >= 50 + 100 + 200 - 3)
})

test('a once run ends with the fault that does not pass', async () => {
  const { once, statuses, readings } = loop(
    ['a', 'b', 'c', 'd'].map((name) => unit(name)),
    () => {
      throw throttled()
    },
  )
  await assert.rejects(once(), { code: 'throttled' })
  assert.equal(statuses.at(-1)?.state, 'stopped')
  assert.equal(readings.length, 9)
})

test('the next unit does not wait for one that was put off', async () => {
  let putOffAt = 0
  const { once } = loop([unit('bad', { opensAt: 1 }), unit('good')], (name, attempt) => {
    if (name === 'good') {
      assert.ok(performance.now() - putOffAt < 3_000, 'the wait after the third fault would be 4 s')
      return published
    }
    if (attempt === 3) putOffAt = performance.now()
    throw new ChatfeedError('transient', 'server_error', 'A fault of its own.')
  })
  assert.deepEqual((await once()).failed, ['bad: A fault of its own.'])
  assert.ok(putOffAt > 0)
})

test('two hours in a row that cannot be had do not keep a once run from the others', async () => {
  const { once, ledger } = loop([unit('bad 1'), unit('bad 2'), unit('good')], (name) => {
    if (name === 'good') return published
    throw throttled()
  })
  const { failed } = await once()
  assert.deepEqual(failed.sort(), ['bad 1: Too many calls.', 'bad 2: Too many calls.'])
  assert.equal(ledger.get('good')?.state, 'published')
})

test('a fatal error stops the source and leaves its reason and mend in the ledger', async () => {
  const { live, ledger, statuses, readings } = loop([unit('a'), unit('b')], () => {
    throw new ChatfeedError('fatal', 'credentials', 'The secret is wrong.', { mend: 'Set clientSecret.' })
  })
  await assert.rejects(live(), { code: 'credentials' })
  assert.equal(readings.length, 1)
  const entry = ledger.get(readings[0] ?? '')
  assert.deepEqual([entry?.state, entry?.reason], ['failed', 'The secret is wrong. Set clientSecret.'])
  assert.equal(statuses.at(-1)?.detail, 'The secret is wrong. Set clientSecret.')
})

test('a fatal error on a second look does not unmake what was published', async () => {
  const run = loop([unit('a', { lookAgainMs: [hour] })], (_, attempt) => {
    if (attempt === 1) return published
    throw new ChatfeedError('fatal', 'credentials', 'The secret is wrong.')
  })
  await run.once()
  run.at(12 * hour)
  await assert.rejects(run.once())
  assert.deepEqual([run.ledger.get('a')?.state, run.ledger.get('a')?.lines], ['published', 2])
})

test('a bug in a source is thrown, not retried', async () => {
  const { live, readings } = loop([unit('a')], () => {
    throw new TypeError('x is undefined')
  })
  await assert.rejects(live(), TypeError)
  assert.equal(readings.length, 1)
})

test('one unit that trips the source every time is put off, and the others are read', async () => {
  const read: Read = (name) => {
    if (name !== 'bad') return published
    throw throttled()
  }
  const { once, ledger } = loop([unit('good', { opensAt: 1 }), unit('bad', { opensAt: 2 })], read)
  const summary = await once()
  assert.equal(ledger.get('good')?.state, 'published')
  assert.deepEqual([ledger.get('bad')?.state, ledger.get('bad')?.reason], ['failed', 'Too many calls.'])
  assert.deepEqual(summary.failed, ['bad: Too many calls.'], 'a once run must not hide it')
})

test('a unit that another process left as failed is tried at once', async () => {
  const run = loop([unit('a')], () => ({ state: 'not_yet', reason: 'r' }))
  await run.once()
  run.ledger.set('a', { ...run.written[0]!, state: 'failed', nextLookAt: 1_000 * hour })
  run.readings.length = 0
  await run.once()
  assert.deepEqual(run.readings, ['a'])
})

test('nothing is complete that Kafka has not acknowledged', async () => {
  const { options, written, ledger } = loop([unit('a')], () => published)
  let flushes = 0
  options.publishing = async (_name, reading) => {
    const answer = await reading(() => undefined)
    if (++flushes === 1) throw new ChatfeedError('transient', 'kafka_timeout', 'Kafka.', { retryAfterMs: 1 })
    assert.equal(ledger.get('a')?.attempts, 0)
    return answer
  }
  await runSource(options, true)
  assert.deepEqual(
    written.map(({ state }) => state),
    ['published'],
  )
  assert.equal(flushes, 2)
})

test('a live run polls an open hour, and writes only polls with news into the ledger', async () => {
  const open = unit('open', { opensAt: 10 * hour, closesAt: 11 * hour, pollEveryMs: 15_000 })
  const run = loop([open], (_, attempt) => {
    if (attempt === 6) run.stop()
    run.at(10 * hour + attempt * 15_000)
    return attempt < 4 ? published : { ...published, lines: 3, digest: 'd2' }
  })
  await run.live()
  assert.equal(run.readings.length, 6)
  assert.deepEqual(
    run.written.map(({ lines, attempts }) => ({ lines, attempts })),
    [
      { lines: 2, attempts: 1 },
      { lines: 3, attempts: 4 },
    ],
  )
  assert.equal(run.ledger.get('open')?.attempts, 6)
})

test('the same refusal of an open hour, poll after poll, is written once', async () => {
  const open = unit('open', { closesAt: 20 * hour, pollEveryMs: 10 })
  const reasons = ['no right', 'no right', 'no right', 'other', 'other']
  const run = loop([open], (_, attempt) => {
    if (attempt === reasons.length) run.stop()
    return { state: 'failed', reason: reasons[attempt - 1] ?? '', retryAfterMs: 0 }
  })
  let now = 10 * hour
  run.options.now = () => (now += 2_000)
  await run.live()
  assert.deepEqual(
    run.written.map(({ reason }) => reason),
    ['no right', 'other'],
  )
  assert.equal(run.ledger.get('open')?.attempts, 5)
})

test('the reading that closes an open hour is written, also when it brought nothing new', async () => {
  const open = unit('open', { opensAt: 10 * hour, closesAt: 11 * hour, pollEveryMs: 15_000 })
  const run = loop([open], () => published)
  await run.once()
  run.at(11 * hour)
  await run.once()
  assert.deepEqual(
    run.written.map(({ state }) => state),
    ['pending', 'published'],
  )
})

test('a reading under way ends when the source is stopped, and leaves no word in the ledger', async () => {
  const run = loop(
    [unit('a'), unit('b')],
    (_name, _attempt, _publish, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
        run.stop()
      }),
  )
  await run.live()
  assert.equal(run.readings.length, 1)
  assert.equal(run.written.length, 0)
})

test('a stop ends a long wait at once', { timeout: 5_000 }, async () => {
  const run = loop([unit('a')], () => {
    setImmediate(run.stop)
    throw new ChatfeedError('transient', 'banned', 'Banned.', { retryAfterMs: 300_000 })
  })
  await run.live()
})

test('a lost ledger is thrown, so that the source starts anew with its successor', async () => {
  const { options } = loop([unit('a')], () => published)
  options.record = () => Promise.reject(new ChatfeedError('transient', 'ledger_lost', 'Another process.'))
  await assert.rejects(runSource(options, false), { code: 'ledger_lost' })
})

test('the status tells what is read, what is due and when it goes on', async () => {
  const run = loop([unit('a'), unit('b', { opensAt: 11 * hour })], () => {
    setTimeout(run.stop, 20)
    return published
  })
  await run.live()
  assert.deepEqual(run.statuses[0], {
    state: 'reading',
    detail: 'a',
    nextAt: null,
    units: { done: 0, due: 1, lost: 0, failed: 0 },
  })
  assert.deepEqual(run.statuses.at(-1), {
    state: 'waiting',
    detail: '',
    nextAt: 11 * hour,
    units: { done: 1, due: 0, lost: 0, failed: 0 },
  })
})
