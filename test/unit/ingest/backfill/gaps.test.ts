import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runBackfill } from '../../../../src/ingest/backfill/loop.ts'
import { planBackfill } from '../../../../src/ingest/backfill/plan.ts'
import { runSource } from '../../../../src/ingest/source-loop.ts'
import { silentLog } from '../../../../src/log.ts'
import type { LedgerEntry } from '../../../../src/model.ts'
import { coverFrom } from '../../../../src/providers/coverage.ts'
import type { Publish, Reading, Source, Unit } from '../../../../src/providers/provider.ts'
import { hour, published } from '../readings.ts'

const sinceHours = 10
const firstHour = 1_000

/** Named by ten digits, as hours are. */
const nameOf = (at: number): string => String(at).padStart(10, '0')
const nameOfUnit = ({ name }: Unit): string => name
const startOf = (name: string): number => Number(name) * hour

/** A running job and backfills on one ledger, each killed after some readings. */
class World {
  nowHour = firstHour
  readonly ledger = new Map<string, LedgerEntry>()
  /** Hours that the job has read. */
  readonly readByJob = new Set<number>()
  /** The oldest hour that the job begins with, were it started when it or a backfill has read the first of its hours. */
  begin = Infinity
  readonly #lookAgainMs: readonly number[]

  constructor(lookAgainMs: readonly number[]) {
    this.#lookAgainMs = lookAgainMs
  }

  async job(readings: number): Promise<void> {
    this.begin = Math.min(this.begin, this.nowHour - sinceHours)
    const killed = new AbortController()
    const source = this.#source(killed, readings, this.readByJob)
    const surroundings = this.#surroundings(killed.signal)
    await runSource(
      { ...surroundings, source, log: silentLog, remember: () => undefined, onStatus: () => undefined },
      true,
    )
  }

  async backfill(fromHour: number, hours: number, readings: number): Promise<void> {
    const killed = new AbortController()
    const source = this.#source(killed, readings, new Set())
    const units = Array.from({ length: hours }, (_, at) => this.#unit(fromHour + at))
    const { due } = planBackfill(units, this.ledger, this.nowHour * hour)
    const surroundings = this.#surroundings(killed.signal)
    const jobs = new Set(
      (await source.units(this.nowHour * hour, this.ledger, killed.signal)).map(nameOfUnit),
    )
    const record = (entry: LedgerEntry) => {
      if (jobs.has(entry.unit)) this.begin = Math.min(this.begin, Number(entry.unit))
      return surroundings.record(entry)
    }
    await runBackfill({ ...surroundings, source, jobs, record, onProgress: () => undefined }, due)
  }

  #surroundings(signal: AbortSignal) {
    return {
      signal,
      now: () => this.nowHour * hour,
      entries: () => this.ledger,
      catchUp: () => Promise.resolve(),
      record: (entry: LedgerEntry) => Promise.resolve(void this.ledger.set(entry.unit, entry)),
      publishing: (_unit: string, read: (publish: Publish) => Promise<Reading>) => read(() => undefined),
    }
  }

  /** Dies in the reading after the last that it is granted. */
  #source(killed: AbortController, readings: number, read: Set<number>): Source {
    return {
      name: 's',
      provider: 'fake',
      tenant: 't',
      units: (nowMs, known) => {
        const units: Unit[] = []
        const fromMs = coverFrom(nowMs - sinceHours * hour, known, startOf)
        for (let at = fromMs / hour; at * hour <= nowMs; at++) units.push(this.#unit(at))
        return Promise.resolve(units)
      },
      hours: () => Promise.resolve([]),
      read: ({ name }) => {
        if (readings-- === 0) {
          killed.abort()
          return Promise.reject(new Error('killed'))
        }
        read.add(Number(name))
        return Promise.resolve(published)
      },
      check: () => Promise.resolve([]),
      close: () => Promise.resolve(),
    }
  }

  #unit(at: number): Unit {
    const endMs = (at + 1) * hour
    return {
      name: nameOf(at),
      opensAt: endMs,
      closesAt: endMs,
      pollEveryMs: null,
      lookAgainMs: this.#lookAgainMs,
      deadline: null,
    }
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('job' as const), readings: fc.nat({ max: 15 }) }),
  fc.record({ kind: fc.constant('time' as const), hours: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    kind: fc.constant('backfill' as const),
    hoursAgo: fc.integer({ min: 1, max: 80 }),
    hours: fc.integer({ min: 1, max: 25 }),
    readings: fc.nat({ max: 20 }),
  }),
)

test('whatever is killed when, the job leaves no hour and no second look out since the first hour of its own, and reads none from before', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.constantFrom([], [6 * hour]),
      async (steps, lookAgainMs) => {
        const world = new World(lookAgainMs)
        for (const next of [...steps, { kind: 'job' as const, readings: 1_000 }]) {
          if (next.kind === 'time') world.nowHour += next.hours
          else if (next.kind === 'backfill')
            await world.backfill(world.nowHour - next.hoursAgo, next.hours, next.readings)
          else await world.job(next.readings)
        }
        const endHour = world.nowHour
        for (let at = world.begin; at < endHour; at++)
          assert.equal(world.ledger.get(nameOf(at))?.state, 'published', `hour ${at} of ${world.begin}`)

        world.nowHour += 6
        await world.job(1_000)
        for (let at = world.begin; at < endHour; at++) {
          const { publishedAt, lastTriedAt, nextLookAt } = world.ledger.get(nameOf(at))!
          assert.equal(nextLookAt, null)
          for (const afterMs of lookAgainMs)
            assert.ok(lastTriedAt! >= publishedAt! + afterMs, `hour ${at} was not looked at again`)
        }
        assert.deepEqual(
          [...world.readByJob].filter((at) => at < world.begin),
          [],
        )
      },
    ),
    { numRuns: 500 },
  )
})
