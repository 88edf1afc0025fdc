import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError } from '../../../../src/errors.ts'
import {
  type BackfillLoopOptions,
  type BackfillProgress,
  runBackfill,
} from '../../../../src/ingest/backfill/loop.ts'
import { newEntry } from '../../../../src/ingest/entry.ts'
import type { LedgerEntry } from '../../../../src/model.ts'
import type { Publish, Reading, Unit } from '../../../../src/providers/provider.ts'
import { hour, published } from '../readings.ts'

const unit = (name: string, fields: Partial<Unit> = {}): Unit => ({
  name,
  opensAt: Number(name) * hour,
  closesAt: Number(name) * hour,
  pollEveryMs: null,
  lookAgainMs: [6 * hour],
  deadline: null,
  ...fields,
})

type Read = (
  name: string,
  attempt: number,
  publish: Publish,
  signal: AbortSignal,
) => Reading | Promise<Reading>

/** A backfill over these units at hour 100, and what it did. */
function scene(read: Read, ...known: LedgerEntry[]) {
  const stopping = new AbortController()
  const ledger = new Map(known.map((entry) => [entry.unit, entry]))
  const readings: string[] = []
  const written: LedgerEntry[] = []
  const shown: BackfillProgress[] = []
  const options: BackfillLoopOptions = {
    source: {
      name: 's',
      read: async ({ name }, publish, signal) => {
        readings.push(name)
        return read(name, readings.filter((other) => other === name).length, publish, signal)
      },
    },
    signal: stopping.signal,
    now: () => 100 * hour,
    jobs: new Set(),
    entries: () => ledger,
    catchUp: () => Promise.resolve(),
    record: (entry) => {
      ledger.set(entry.unit, entry)
      written.push(entry)
      return Promise.resolve()
    },
    publishing: (_name, reading) => reading(() => undefined),
    onProgress: (progress) => shown.push(progress),
  }
  return {
    options,
    ledger,
    readings,
    written,
    shown,
    stop: () => {
      stopping.abort()
    },
    run: (...units: Unit[]) => runBackfill(options, units),
  }
}

const untouched = { skipped: 0, gone: [], failed: [], left: 0, stopped: null }
const entry = (name: string, fields: Partial<LedgerEntry>): LedgerEntry => ({
  ...newEntry('s', unit(name)),
  ...fields,
})
/** Moves the clock by what is waited for, so that no test waits. */
function onFastClock(backfill: ReturnType<typeof scene>): void {
  let now = 100 * hour
  backfill.options.now = () => (now += 600_000)
}

test('every hour is read once, in the order given, and booked when it was read', async () => {
  const backfill = scene((name) => {
    assert.equal(backfill.written.length, backfill.readings.length - 1)
    return name === '2' ? { state: 'empty', reason: 'Nobody wrote.' } : published
  })
  assert.deepEqual(await backfill.run(unit('1'), unit('2'), unit('3')), { ...untouched, read: 3, lines: 6 })
  assert.deepEqual(backfill.readings, ['1', '2', '3'])
  assert.deepEqual(
    backfill.written.map(({ unit: name, state, lines, attempts }) => [name, state, lines, attempts]),
    [
      ['1', 'published', 3, 1],
      ['2', 'empty', 0, 1],
      ['3', 'published', 3, 1],
    ],
  )
})

test('an hour before all that the running job knows is closed and not counted as tried by it', async () => {
  const backfill = scene(() => published, entry('50', { nextLookAt: 1 }))
  await backfill.run(unit('49'))
  const { firstTriedAt, lastTriedAt, publishedAt, nextLookAt } = backfill.written[0]!
  assert.deepEqual([firstTriedAt, nextLookAt], [null, null])
  assert.deepEqual([lastTriedAt, publishedAt], [100 * hour, 100 * hour])
})

test('an hour of the running job gets the entry that the job would write, second looks included', async () => {
  const backfill = scene(
    () => published,
    entry('50', { state: 'published', firstTriedAt: 1, publishedAt: 1, nextLookAt: null }),
    entry('51', { state: 'failed', attempts: 2, firstTriedAt: 7, lastTriedAt: 8, nextLookAt: 9 }),
  )
  await backfill.run(unit('51'), unit('52'))
  assert.deepEqual(
    backfill.written.map(({ firstTriedAt, nextLookAt, attempts }) => [firstTriedAt, nextLookAt, attempts]),
    [
      [7, 106 * hour, 3],
      [100 * hour, 106 * hour, 1],
    ],
  )
})

test('an hour that the job would begin with gets second looks, though nobody has started the job yet', async () => {
  const backfill = scene(() => published)
  backfill.options.jobs = new Set(['98'])
  await backfill.run(unit('97'), unit('98'), unit('99'))
  assert.deepEqual(
    backfill.written.map(({ unit: name, firstTriedAt, nextLookAt }) => [name, firstTriedAt, nextLookAt]),
    [
      ['97', null, null],
      ['98', 100 * hour, 106 * hour],
      ['99', 100 * hour, 106 * hour],
    ],
  )
})

test('an hour that the running job takes up while it is read is the job’s', async () => {
  const backfill = scene(() => {
    backfill.ledger.set('1', entry('1', {}))
    return published
  })
  await backfill.run(unit('1'))
  assert.equal(backfill.written[0]?.firstTriedAt, 100 * hour)
})

test('an hour that somebody else has read meanwhile is left out', async () => {
  const backfill = scene(() => published)
  let looks = 0
  backfill.options.catchUp = () => {
    if (++looks === 3) backfill.ledger.set('2', entry('2', { state: 'empty', publishedAt: 1 }))
    return Promise.resolve()
  }
  const pass = await backfill.run(unit('1'), unit('2'), unit('3'))
  assert.deepEqual(backfill.readings, ['1', '3'])
  assert.deepEqual(pass, { ...untouched, read: 2, lines: 6, skipped: 1 })
})

test('an hour that runs out while others are read is gone, not asked for and not booked', async () => {
  const backfill = scene(() => published)
  const late = unit('2', { deadline: 99 * hour })
  const pass = await backfill.run(unit('1'), late)
  assert.deepEqual([pass.gone, backfill.readings, backfill.written.length], [[late], ['1'], 1])
})

test('an hour of which the provider itself says that it is gone is named, and not booked', async () => {
  const backfill = scene(() => ({ state: 'lost', reason: 'expired' }))
  const pass = await backfill.run(unit('1'))
  assert.deepEqual([pass.gone.map(({ name }) => name), pass.read, backfill.written], [['1'], 0, []])
})

test('a failed hour has another turn after the others, and is named when it fails for good', async () => {
  const backfill = scene((name) => (name === '1' ? { state: 'failed', reason: 'cut short' } : published))
  onFastClock(backfill)
  const pass = await backfill.run(unit('1'), unit('2'), unit('3'))
  assert.deepEqual(backfill.readings, ['1', '2', '3', '1', '1', '1'])
  assert.deepEqual(pass.failed, [{ unit: '1', reason: 'cut short' }])
  assert.deepEqual(
    backfill.written.map(({ unit: name }) => name),
    ['2', '3'],
    'a failure is not booked',
  )
})

test('an hour that works in the end is no failure', async () => {
  const backfill = scene((_, attempt) => (attempt < 3 ? { state: 'failed', reason: 'cut short' } : published))
  onFastClock(backfill)
  assert.deepEqual(await backfill.run(unit('1')), { ...untouched, read: 1, lines: 3 })
})

test('an hour for which the provider wants a long rest is not waited for', async () => {
  const reading: Reading = { state: 'not_yet', reason: 'not made yet', retryAfterMs: 600_000 }
  const backfill = scene(() => reading)
  const pass = await backfill.run(unit('1'))
  assert.deepEqual([pass.failed, backfill.readings.length], [[{ unit: '1', reason: 'not made yet' }], 1])
})

test('a fault of the source is waited out for as long as the provider says, which is shown', async () => {
  const startedAt = Date.now()
  const backfill = scene((_, attempt) => {
    if (attempt > 1) return published
    throw new ChatfeedError('transient', 'throttled', 'Too many calls.', { retryAfterMs: 80 })
  })
  assert.equal((await backfill.run(unit('1'))).read, 1)
  assert.ok(Date.now() - startedAt >= 79)
  assert.deepEqual(backfill.shown.find(({ rest }) => rest)?.rest, {
    reason: 'Too many calls.',
    untilMs: 100 * hour + 80,
  })
})

test('an hour that trips the provider up again and again does not keep the others from being read', async () => {
  const backfill = scene((name) => {
    if (name === '2') return published
    throw new ChatfeedError('transient', 'server_error', 'A fault.', { retryAfterMs: 1 })
  })
  onFastClock(backfill)
  const pass = await backfill.run(unit('1'), unit('2'))
  assert.deepEqual(backfill.readings.slice(0, 4), ['1', '1', '1', '2'])
  assert.deepEqual([pass.read, pass.failed], [1, [{ unit: '1', reason: 'A fault.' }]])
})

test('what nothing helps against ends the backfill with its reason and mend, and tells what was read', async () => {
  const backfill = scene((name) => {
    if (name === '1') return published
    throw new ChatfeedError('fatal', 'credentials', 'The secret is wrong.', { mend: 'Set clientSecret.' })
  })
  assert.deepEqual(await backfill.run(unit('1'), unit('2'), unit('3')), {
    ...untouched,
    read: 1,
    lines: 3,
    left: 2,
    stopped: 'The secret is wrong. Set clientSecret.',
  })
})

test('a bug is thrown', async () => {
  await assert.rejects(
    scene(() => {
      throw new TypeError('x is undefined')
    }).run(unit('1')),
    TypeError,
  )
})

test('nothing is booked that Kafka has not acknowledged', async () => {
  const backfill = scene(() => published)
  let flushes = 0
  backfill.options.publishing = async (_name, reading) => {
    const answer = await reading(() => undefined)
    if (++flushes === 1) throw new ChatfeedError('transient', 'kafka_timeout', 'Kafka.', { retryAfterMs: 1 })
    return answer
  }
  assert.equal((await backfill.run(unit('1'))).read, 1)
  assert.deepEqual([backfill.readings.length, backfill.written.length], [2, 1])
})

test('an entry that cannot be written makes the hour come again', async () => {
  const backfill = scene(() => published)
  const { record } = backfill.options
  let failures = 0
  backfill.options.record = (written) => {
    if (failures++ > 0) return record(written)
    throw new ChatfeedError('transient', 'kafka_timeout', 'Kafka.', { retryAfterMs: 1 })
  }
  assert.equal((await backfill.run(unit('1'))).read, 1)
  assert.equal(backfill.readings.length, 2)
})

test(
  'a stop leaves the hour under way and the rest unread, and says how many',
  { timeout: 5_000 },
  async () => {
    const backfill = scene((name, _attempt, _publish, signal) => {
      if (name === '1') return published
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
        backfill.stop()
      })
    })
    const pass = await backfill.run(unit('1'), unit('2'), unit('3'))
    assert.deepEqual(pass, { ...untouched, read: 1, lines: 3, left: 2 })
  },
)

test('a stop while the ledger is looked at before booking leaves the hour unbooked', async () => {
  const backfill = scene(() => {
    backfill.options.catchUp = () => Promise.resolve(backfill.stop())
    return published
  })
  const pass = await backfill.run(unit('1'))
  assert.deepEqual([pass.left, backfill.written], [1, []])
})

test('a stop ends a long rest at once', { timeout: 5_000 }, async () => {
  const backfill = scene(() => {
    setImmediate(backfill.stop)
    throw new ChatfeedError('transient', 'banned', 'Banned.', { retryAfterMs: 300_000 })
  })
  assert.equal((await backfill.run(unit('1'))).left, 1)
})

test('progress counts hours done with and records as they come', async () => {
  const backfill = scene((_name, _attempt, publish) => {
    const record = {
      messageId: '1',
      fingerprint: Buffer.alloc(16),
      sentAt: 1,
      position: 1,
      payload: Buffer.from('x'),
    }
    void publish(record)
    void publish(record)
    return published
  })
  await backfill.run(unit('1'), unit('2'))
  assert.deepEqual(
    backfill.shown.map(({ done, records }) => `${done} ${records}`),
    ['0 0', '0 1', '0 2', '1 2', '1 3', '1 4', '2 4'],
  )
})
