import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { serve } from '@hono/node-server'
import { pino } from 'pino'
import { polyv } from '../../../../src/providers/polyv/index.ts'
import type {
  RawRecord,
  Reading,
  Sandbox,
  Source,
  SourceContext,
  Unit,
} from '../../../../src/providers/provider.ts'

/** Serves an app on a free port of loopback until the test ends; returns its address. */
export async function listen(
  t: TestContext,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<string> {
  return new Promise((resolve) => {
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, (info: AddressInfo) => {
      resolve(`http://127.0.0.1:${info.port}`)
    })
    t.after(() => new Promise((closed) => server.close(closed)))
  })
}

/** A source context with a clock to set, and what was logged, counted and paused. */
export function makeContext(startMs: number) {
  const seen = { log: '', outcomes: [] as string[], pausesMs: [] as number[], taken: 0 }
  const clock = { nowMs: startMs }
  const context: SourceContext = {
    log: pino({}, { write: (line: string) => void (seen.log += line) }),
    budget: {
      take: () => {
        seen.taken++
        return Promise.resolve()
      },
      pause: (ms) => void seen.pausesMs.push(ms),
    },
    countRequest: (outcome) => void seen.outcomes.push(outcome),
    now: () => clock.nowMs,
  }
  return { context, clock, seen }
}

/** 11:20:00 of a Monday in China: two classes are over since twenty minutes. */
export const morningMs = Date.parse('2026-11-23T03:20:00Z')

/** A sandbox behind real HTTP and a source that reads it; both share one clock. */
export async function openSandbox(
  t: TestContext,
  options: Record<string, unknown> = {},
  change: Record<string, unknown> = {},
) {
  const { context, clock, seen } = makeContext(morningMs)
  const sandbox: Sandbox = polyv.sandbox({
    seed: 7,
    now: () => clock.nowMs,
    messagesPerHour: 240,
    ...options,
  })
  const baseUrl = await listen(t, (request) => sandbox.app.fetch(request))
  const source = openSource(t, { ...sandbox.sourceConfig(baseUrl), ...change }, context)
  return { source, sandbox, clock, seen, context, baseUrl }
}

export function openSource(t: TestContext, entry: Record<string, unknown>, context: SourceContext): Source {
  const source = polyv.open(polyv.config.parse(entry), context)
  t.after(() => source.close())
  return source
}

/** Reads a unit and keeps what it publishes. */
export async function readUnit(
  source: Source,
  unit: Unit,
): Promise<{ reading: Reading; records: RawRecord[] }> {
  const records: RawRecord[] = []
  const publish = (record: RawRecord): undefined => void records.push(record)
  const reading = await source.read(unit, publish, new AbortController().signal)
  return { reading, records }
}

export async function unitNamed(source: Source, name: string, nowMs: number): Promise<Unit> {
  const units = await source.units(nowMs, new Map(), new AbortController().signal)
  const unit = units.find((candidate) => candidate.name === name)
  if (!unit) throw new Error(`no unit ${name}`)
  return unit
}

/** (id, fingerprint) of a record. */
export const rowOf = ({ messageId, fingerprint }: RawRecord): string =>
  `${messageId} ${fingerprint.toString('hex')}`
