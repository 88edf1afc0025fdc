import { Hono } from 'hono'
import { z } from 'zod'
import { Random } from '../../../sandbox/random.ts'
import { stringifyLossless } from '../../canonical.ts'
import type { Sandbox, SandboxOptions } from '../../provider.ts'
import { hourMs, parseHour } from '../hours.ts'
import { identify } from '../message/identity.ts'
import { SandboxFiles } from './files.ts'
import { SandboxGate } from './gate.ts'
import { historyFile, historyLines } from './history.ts'
import { answerPull } from './pull.ts'
import { rawUrl, sendWhole, signPath, storeError } from './store.ts'
import { offlineCounts } from './users.ts'

const dayMs = 24 * hourMs
const zoneMs = 8 * hourMs
/** Hours kept in memory: pages and polls come back to them. */
const recentHours = 8
const org = 'chatfeed-demo'
const app = 'helpdesk'
const clientId = 'YXA6-sandbox-client'
const clientSecret = 'YXA6-sandbox-secret'

/** What can be shortened or raised. Milliseconds; the defaults are the real service's (facts: Easemob docs). */
const sandboxOptions = z.object({
  generationDelayMs: z.number().default(25 * 60_000),
  retentionMs: z.number().default(3 * dayMs),
  callsPerMinute: z.number().default(10),
  linkLifeMs: z.number().default(30 * 60_000),
  tokenLifeMs: z.number().default(dayMs),
  /** The share of an hour's lines that come so long after its end, into a history handed out before. */
  lateRows: z.number().min(0).max(1).default(0),
  lateAfterMs: z.number().default(3 * hourMs),
  /**
   * Before the path of every attachment. It is part of the history, and so must not change from one start to the
   * next: give the sandbox's own address only if that is always the same.
   */
  filesBaseUrl: z.string().default('http://127.0.0.1:8789'),
  /** Files answer 503 until the clock says so, epoch milliseconds. */
  filesDownUntil: z.number().default(0),
  /** The secret alone does not open a file: the app is set so that its token is needed too. */
  filesNeedToken: z.boolean().default(false),
  /** The share of files that lie in the object store, where a redirect with a signature leads. */
  filesRedirected: z.number().min(0).max(1).default(0),
  /** The share of files in whose place a gateway answers with a page. */
  filesPaged: z.number().min(0).max(1).default(0),
})

/**
 * Simulates the history interfaces of one Easemob app, its unread counts and the store behind its links, as strict as
 * the real ones: tokens, the call limit, hours too young, too old or empty, links that are signed to the byte and
 * expire, queries and cursors that must be escaped.
 */
export function easemobSandbox(options: SandboxOptions): Sandbox {
  const { seed, messagesPerHour } = options
  const now = () => options.now()
  const settings = sandboxOptions.parse(options)
  const { generationDelayMs, retentionMs, callsPerMinute, linkLifeMs, tokenLifeMs, filesBaseUrl } = settings
  const files = new SandboxFiles(seed)
  const gate = new SandboxGate({ org, app, clientId, clientSecret, callsPerMinute, tokenLifeMs, now })
  const served = new Served()
  const recent = new Map<number, string[]>()
  const server = new Hono()

  server.post('/:org/:app/token', (context) => gate.giveToken(context))

  server.get('/:org/:app/chatmessages/:hour', (context) => {
    const refusal = gate.refusal(context)
    if (refusal) return refusal
    const hour = context.req.param('hour')
    const startMs = parseHour(hour, zoneMs)
    if (startMs === null) {
      const description = `illegal arguments: appkey: ${org}#${app}, time: ${hour}`
      return gate.fail(context, 400, 'illegal_argument', description)
    }
    const endMs = startMs + hourMs
    if (now() < endMs + generationDelayMs || now() > endMs + retentionMs) {
      const maybe = 'maybe chat message history is expired or unstored'
      const description = `illegal arguments: appkey: ${org}#${app}, time: ${hour}, ${maybe}`
      return gate.fail(context, 400, 'illegal_argument', description)
    }
    const base = context.req.url.split(`/${org}/${app}/chatmessages/`)[0]!
    if (linesOf(startMs).length === 0) {
      const what = 'Failed to find chat message history download url for'
      const description = `${what} appkey: ${org}#${app}, time: ${hour}`
      return gate.fail(context, 404, 'storage_object_not_found', description)
    }
    const endsAt = Math.floor((now() + linkLifeMs) / 1000)
    return context.json({
      action: 'get',
      application: `${org}-${app}`,
      uri: `'${context.req.url}`,
      data: [{ url: base + signPath(pathOf(hour), endsAt, seed) }],
      timestamp: now(),
      duration: 0,
      organization: org,
      applicationName: app,
    })
  })

  server.get('/:org/:app/chatmessages', (context) => {
    const refusal = gate.refusal(context)
    if (refusal) return refusal
    const answer = answerPull(context.req.query(), { seed, zoneMs, nowMs: now(), retentionMs, linesOf })
    if ('error' in answer) return gate.fail(context, 400, 'illegal_argument', answer.error)
    const entities = answer.rows.map(stringifyLossless)
    served.add(entities)
    const { cursor } = answer
    const more = { timestamp: now(), duration: 1, count: entities.length, ...(cursor !== null && { cursor }) }
    const start = JSON.stringify({ action: 'get', params: context.req.queries(), path: '/chatmessages' })
    const end = JSON.stringify(more).slice(1)
    const body = `${start.slice(0, -1)},"entities":[${entities.join(',')}],${end}`
    return context.body(body, 200, { 'content-type': 'application/json' })
  })

  server.get('/:org/:app/users/:user/offline_msg_count', (context) => {
    // The limit is that of the history.
    const refusal = gate.unknownApp(context) ?? gate.unauthorized(context)
    if (refusal) return refusal
    const data = offlineCounts(context.req.param('user'), seed, now())
    if (!data) return gate.fail(context, 404, 'service_resource_not_found', 'Service resource not found')
    const count = Object.values(data).reduce((sum, next) => sum + next, 0)
    return context.json({ action: 'get', entities: [], data, timestamp: now(), duration: 1, count })
  })

  server.get(`/history/:class/${org}/${app}/:file`, (context) => {
    const hour = context.req.param('file').replace(/\.gz$/, '')
    const endsAt = Number(context.req.query('Expires'))
    if (context.req.header('authorization') !== undefined) {
      return storeError(400, 'InvalidArgument', 'Only one way of authentication is allowed.')
    }
    if (!rawUrl(context).endsWith(signPath(pathOf(hour), endsAt, seed))) {
      return storeError(403, 'SignatureDoesNotMatch', 'The signature does not fit the request.')
    }
    if (endsAt * 1000 < now()) return storeError(403, 'AccessDenied', 'Request has expired.')
    const lines = linesOf(parseHour(hour, zoneMs)!)
    return sendWhole(historyFile(lines), () => {
      served.add(lines)
    })
  })

  server.get('/:org/:app/chatfiles/:uuid', (context) => {
    const refusal = gate.unknownApp(context)
    if (refusal) return refusal
    const { filesDownUntil, filesNeedToken, filesRedirected, filesPaged } = settings
    if (now() < filesDownUntil) {
      context.header('retry-after', '1')
      return gate.fail(context, 503, 'service_unavailable', 'The service is busy')
    }
    const file = files.find(context.req.param('uuid'))
    if (file === null) return gate.fail(context, 404, 'entity_not_found', 'file may not exists')
    const secret = context.req.query('share-secret') ?? context.req.header('share-secret')
    const opens = secret === file.secret
    const refused = opens && !filesNeedToken ? null : gate.unauthorized(context)
    if (refused) return refused
    if (filesNeedToken && !opens) return gate.fail(context, 403, 'forbidden', 'share-secret is not correct')
    if (file.expired) return gate.fail(context, 404, 'file_expired', 'file is expired')
    const random = new Random('easemob file', seed, file.uuid)
    if (random.chance(filesRedirected)) {
      const base = context.req.url.split(`/${org}/${app}/chatfiles/`)[0]!
      const endsAt = Math.floor((now() + linkLifeMs) / 1000)
      return context.redirect(base + signPath(`/chatfile-store/${file.uuid}`, endsAt, seed), 302)
    }
    if (random.chance(filesPaged)) return context.html('<!doctype html><title>Sign in</title>')
    return context.body(new Uint8Array(file.bytes), 200, { 'content-type': file.contentType })
  })

  server.get('/chatfile-store/:uuid', (context) => {
    const uuid = context.req.param('uuid')
    if (context.req.header('authorization') !== undefined) {
      return storeError(400, 'InvalidArgument', 'Only one way of authentication is allowed.')
    }
    const signed = signPath(`/chatfile-store/${uuid}`, Number(context.req.query('Expires')), seed)
    const file = rawUrl(context).endsWith(signed) ? files.find(uuid) : null
    if (file === null)
      return storeError(403, 'SignatureDoesNotMatch', 'The signature does not fit the request.')
    return context.body(new Uint8Array(file.bytes), 200, { 'content-type': file.contentType })
  })

  function pathOf(hour: string): string {
    return `/history/${Math.ceil(retentionMs / dayMs)}D/${org}/${app}/${hour}.gz`
  }

  /** As far as they have come: late lines are in their places then, and move those behind. */
  function linesOf(startMs: number): string[] {
    let lines = recent.get(startMs)
    if (!lines) {
      const filesUrl = `${filesBaseUrl}/${org}/${app}/chatfiles`
      lines = historyLines(startMs, { seed, messagesPerHour, files, filesUrl })
      if (recent.size >= recentHours) recent.clear()
      recent.set(startMs, lines)
    }
    const { lateRows, lateAfterMs } = settings
    if (lateRows === 0 || now() >= startMs + hourMs + lateAfterMs) return lines
    const random = new Random('easemob late', seed, startMs)
    return lines.filter(() => !random.chance(lateRows))
  }

  return {
    app: server,
    sourceConfig: (baseUrl) => ({
      name: 'support',
      provider: 'easemob',
      baseUrl,
      org,
      app,
      clientId,
      clientSecret,
      timeZone: '+08:00',
      since: durationText(retentionMs),
      settle: durationText(generationDelayMs),
      retention: durationText(retentionMs),
      ratePerMinute: callsPerMinute,
    }),
    served: () => served.counts(),
  }
}

/** What was handed out, on whichever way. */
class Served {
  readonly #ids = new Set<string>()
  readonly #revisions = new Set<string>()
  #rows = 0

  add(lines: readonly string[]): void {
    for (const line of lines) {
      const { messageId, fingerprint } = identify(Buffer.from(line))
      this.#rows++
      this.#ids.add(messageId!)
      this.#revisions.add(`${messageId!} ${fingerprint.toString('hex')}`)
    }
  }

  counts(): ReturnType<Sandbox['served']> {
    return { rows: this.#rows, messages: this.#ids.size, revisions: this.#revisions.size }
  }
}

/** As a person would write it in the configuration. */
function durationText(ms: number): string {
  return ms % hourMs === 0 ? `${ms / hourMs}h` : `${ms / 60_000}m`
}
