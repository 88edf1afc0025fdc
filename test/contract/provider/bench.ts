/** One provider at work on its sandbox. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { ChatfeedError } from '../../../src/errors.ts'
import type { Publish, RawRecord, Reading, Sandbox, Source, Unit } from '../../../src/providers/provider.ts'
import type { ProviderCase } from './case.ts'
import { openWire, type Tamper, type Wire } from './wire.ts'

/** What came of one reading. */
export interface Read {
  reading: Reading
  records: RawRecord[]
}

/** A source that reads its sandbox over HTTP. */
export interface Bench {
  source: Source
  sandbox: Sandbox
  wire: Wire
  /** Everything logged so far. */
  log(): string
  units(): Promise<Unit[]>
  /** Reads `unit`, by default the case's, into `publish` and the answer. */
  read(options?: { unit?: string; publish?: Publish; signal?: AbortSignal }): Promise<Read>
  /** Every record that was served so far, in order. */
  served(): Buffer[]
}

/** How a bench differs from the ordinary one of its case. */
export interface BenchOptions {
  /** Another view of a sandbox that is open. */
  sandbox?: Sandbox
  tamper?: Tamper
  /** Over the case's entry. */
  entry?: Record<string, unknown>
  /** The rate budget's permissions. */
  take?: (signal?: AbortSignal) => Promise<void>
}

/** Registers one test of a case; what it opens closes itself. */
export function scenario(
  providerCase: ProviderCase,
  title: string,
  run: (open: (options?: BenchOptions) => Promise<Bench>, t: TestContext) => Promise<void>,
): void {
  test(`${providerCase.name}: ${title}`, (t) => run((options) => openBench(t, providerCase, options), t))
}

/** Opens a sandbox and a source over it. */
export async function openBench(
  t: TestContext,
  providerCase: ProviderCase,
  options: BenchOptions = {},
): Promise<Bench> {
  const { provider, nowMs, framing } = providerCase
  const now = () => nowMs
  const sandbox = options.sandbox ?? provider.sandbox({ ...providerCase.sandbox, now })
  const wire = await openWire(t, sandbox.app, options.tamper)
  let log = ''
  const source = provider.open(
    provider.config.parse({ ...sandbox.sourceConfig(wire.url), ...providerCase.entry, ...options.entry }),
    {
      log: pino({}, { write: (line: string) => void (log += line) }),
      budget: { take: options.take ?? (() => Promise.resolve()), pause: () => undefined },
      countRequest: () => undefined,
      now,
    },
  )
  t.after(() => source.close())
  const units = () => source.units(nowMs, new Map(), new AbortController().signal)
  return {
    source,
    sandbox,
    wire,
    log: () => log,
    units,
    read: async ({ unit: name = providerCase.unit, publish, signal = new AbortController().signal } = {}) => {
      const unit = (await units()).find((candidate) => candidate.name === name)
      assert.ok(unit, `no unit ${name}`)
      const records: RawRecord[] = []
      const keep = (record: RawRecord): Promise<void> | undefined => {
        records.push({ ...record, payload: Buffer.from(record.payload) })
        return publish?.(record)
      }
      const flush = publish?.flush
      return {
        reading: await source.read(unit, flush ? Object.assign(keep, { flush }) : keep, signal),
        records,
      }
    },
    served: () => wire.exchanges.flatMap(({ asked, answer }) => framing.recordsOf(asked, answer) ?? []),
  }
}

/** Everything of a record that must be the same each time it is read. */
export function rowOf({ position, messageId, fingerprint, sentAt, payload }: RawRecord): string {
  return JSON.stringify([
    position,
    messageId,
    fingerprint.toString('hex'),
    sentAt,
    payload.toString('latin1'),
  ])
}

/** The payload as text, byte for byte. */
export function contentOf(record: Buffer | RawRecord): string {
  return (Buffer.isBuffer(record) ? record : record.payload).toString('latin1')
}

/** Fails unless both readings came to the same, with the same records in the same order. */
export function assertSame(actual: Read, expected: Read, how?: string): void {
  assert.deepEqual(actual.reading, expected.reading, how)
  assert.deepEqual(actual.records.map(rowOf), expected.records.map(rowOf), how)
}

/** An abort comes out as its own reason, or as the error that stands for it. */
export function isStop(error: unknown, signal: AbortSignal): boolean {
  return (
    error === signal.reason ||
    (error instanceof Error && error.name === 'AbortError') ||
    (error instanceof ChatfeedError && error.code === 'stopped')
  )
}

/** Waits for a condition; fails when it does not come true within `ms`. */
export async function until(what: string, condition: () => boolean, ms = 4_000): Promise<void> {
  const end = performance.now() + ms
  while (!condition()) {
    assert.ok(performance.now() < end, `${what}, within ${ms} ms`)
    await sleep(2)
  }
}

/** The outcome of `work`; fails when it takes longer than `ms`. */
export async function within<T>(work: Promise<T>, ms = 4_000): Promise<T> {
  const timer = new AbortController()
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() =>
    assert.fail(`still under way after ${ms} ms`),
  )
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    timer.abort()
  }
}

/** Runs `work` for every item, many at a time: most of it is waiting. */
export async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items]
  const worker = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: 32 }, worker))
}
