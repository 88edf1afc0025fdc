import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'
import { silentLog } from '../../../../src/log.ts'
import { easemob } from '../../../../src/providers/easemob/index.ts'
import type {
  Publish,
  RawRecord,
  Reading,
  Source,
  SourceContext,
} from '../../../../src/providers/provider.ts'

/** Serves the app on a free loopback port until the test ends. */
export async function listen(t: TestContext, app: Hono): Promise<string> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  t.after(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  if (!server.listening) await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export interface Probe {
  source: Source
  outcomes: string[]
  /** Milliseconds of every pause of the budget. */
  pauses: number[]
  /** Permissions that the budget gave. */
  taken: () => number
  records: RawRecord[]
  warnings: unknown[][]
  /** Reads an hour into `records`, or into `publish`. */
  read: (hour: string, options?: { publish?: Publish; signal?: AbortSignal }) => Promise<Reading>
}

/** A source over `entry`, with everything it tells the outside. */
export function openSource(
  t: TestContext,
  entry: Record<string, unknown>,
  now: () => number = Date.now,
): Probe {
  const outcomes: string[] = []
  const pauses: number[] = []
  const records: RawRecord[] = []
  const warnings: unknown[][] = []
  let taken = 0
  const context: SourceContext = {
    log: Object.assign(Object.create(silentLog) as typeof silentLog, {
      warn: (...details: unknown[]) => warnings.push(details),
    }),
    budget: {
      take: () => {
        taken++
        return Promise.resolve()
      },
      pause: (ms) => pauses.push(ms),
    },
    countRequest: (outcome) => outcomes.push(outcome),
    now,
  }
  const config = easemob.config.parse({
    name: 'support',
    provider: 'easemob',
    org: 'acme',
    app: 'helpdesk',
    clientId: 'client-id',
    clientSecret: 'client-secret',
    ...entry,
  })
  const source = easemob.open(config, context)
  t.after(() => source.close())
  const keep: Publish = (record) => {
    records.push({ ...record, payload: Buffer.from(record.payload) })
    return undefined
  }
  const read: Probe['read'] = (hour, { publish = keep, signal = new AbortController().signal } = {}) =>
    source.read(
      { name: hour, opensAt: 0, closesAt: 0, pollEveryMs: null, lookAgainMs: [], deadline: null },
      publish,
      signal,
    )
  return { source, outcomes, pauses, taken: () => taken, records, warnings, read }
}
