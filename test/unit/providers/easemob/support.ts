import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { ChatfeedError } from '../../../../src/errors.ts'
import { silentLog } from '../../../../src/log.ts'
import { easemob } from '../../../../src/providers/easemob/index.ts'
import type {
  Publish,
  RawRecord,
  Reading,
  Source,
  SourceContext,
  Unit,
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
  /** Called before each permission. */
  budget: { onTake: () => void }
  /** Reads an hour into `records`, or into `publish`; as a closed unit unless `unit` says otherwise. */
  read: (
    hour: string,
    options?: { publish?: Publish; signal?: AbortSignal; unit?: Partial<Unit> },
  ) => Promise<Reading>
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
  const budget = { onTake: (): void => undefined }
  const context: SourceContext = {
    log: Object.assign(Object.create(silentLog) as typeof silentLog, {
      warn: (...details: unknown[]) => warnings.push(details),
    }),
    budget: {
      take: () => {
        taken++
        budget.onTake()
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
  const read: Probe['read'] = (hour, options = {}) => {
    const { publish = keep, signal = new AbortController().signal, unit = {} } = options
    const closed = { opensAt: 0, closesAt: 0, pollEveryMs: null, lookAgainMs: [], deadline: null }
    return source.read({ ...closed, ...unit, name: hour }, publish, signal)
  }
  return { source, outcomes, pauses, taken: () => taken, records, warnings, budget, read }
}

export const hourMs = 3_600_000
/** The hour of most tests, and a moment two hours after its end. */
export const hour = '2026112310'
export const hourStartMs = Date.parse('2026-11-23T10:00:00+08:00')
export const now = Date.parse('2026-11-23T13:00:00+08:00')

/** A line of a history file. */
export const line = (id: number | string, timestamp = hourStartMs + hourMs / 2): string =>
  `{"msg_id":"${id}","timestamp":${timestamp},"from":"a","to":"b","payload":{"bodies":[]}}`

type Answer = (context: Context, base: string) => Response | Promise<Response>

/** What a scripted provider says; left out, it gives a token, one link and a file of one line. */
export interface Answers {
  token?: Answer
  history?: Answer
  pull?: Answer
  unread?: Answer
  file?: Answer
}

/** A provider that says what the test wants, and a source that reads it. */
export async function provider(
  t: TestContext,
  answers: Answers,
  entry: Record<string, unknown> = {},
  clock: () => number = () => now,
) {
  const asked: { method: string; path: string; headers: Record<string, string> }[] = []
  let tokens = 0
  const app = new Hono()
  app.use(async (context, next) => {
    // As it came over the wire: parsing rewrites addresses.
    const { incoming } = context.env as { incoming: { url: string } }
    asked.push({ method: context.req.method, path: incoming.url, headers: context.req.header() })
    await next()
  })
  app.post('/acme/helpdesk/token', async (context) => {
    tokens++
    if (answers.token) return answers.token(context, base)
    assert.deepEqual(await context.req.json(), {
      grant_type: 'client_credentials',
      client_id: 'client-id',
      client_secret: 'client-secret',
    })
    return context.json({ access_token: `YWMt${tokens}`, expires_in: 86_400 })
  })
  app.get('/acme/helpdesk/chatmessages/:hour', (context) =>
    answers.history ? answers.history(context, base) : links(context, `${base}/file`),
  )
  app.get('/acme/helpdesk/chatmessages', (context) =>
    answers.pull ? answers.pull(context, base) : context.json({ entities: [], count: 0 }),
  )
  app.get('/acme/helpdesk/users/:user/offline_msg_count', (context) =>
    answers.unread
      ? answers.unread(context, base)
      : context.json({ data: { [context.req.param('user')]: 0 } }),
  )
  app.get('/*', (context) => answers.file?.(context, base) ?? send(context, gzipSync(line(1))))
  const base = await listen(t, app)
  const probe = openSource(t, { baseUrl: base, ...entry }, clock)
  return { ...probe, asked, base, tokens: () => tokens }
}

/** An answer of success that names these files. */
export const links = (context: Context, ...urls: string[]) =>
  context.json({
    action: 'get',
    uri: "'http://x",
    data: urls.map((url) => ({ url })),
    timestamp: 1,
    duration: 0,
  })

export const send = (context: Context, bytes: Buffer | string, headers: Record<string, string> = {}) =>
  context.body(new Uint8Array(Buffer.from(bytes)), 200, headers)

/** A refusal in the service's own form. */
export const refuse = (context: Context, status: number, body: Record<string, unknown>) =>
  context.json({ timestamp: 1, duration: 0, ...body }, status as 400)

export const failsWith = (remedy: string, code: string) => (error: unknown) =>
  error instanceof ChatfeedError && error.remedy === remedy && error.code === code
