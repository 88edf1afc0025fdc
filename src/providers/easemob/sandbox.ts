import { randomBytes } from 'node:crypto'
import { Hono, type Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'
import type { Sandbox, SandboxOptions } from '../provider.ts'
import { hourMs, parseHour } from './hours.ts'
import { identify } from './records.ts'
import { SandboxFiles } from './sandbox-files.ts'
import { historyFile, historyLines } from './sandbox-history.ts'
import { rawUrl, sendWhole, signPath, storeError } from './sandbox-store.ts'

const dayMs = 24 * hourMs
const zoneMs = 8 * hourMs
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
  /**
   * Before the path of every attachment. It is part of the history, and so must not change from one start to the
   * next: give the sandbox's own address only if that is always the same.
   */
  filesBaseUrl: z.string().default('http://127.0.0.1:8789'),
})

/**
 * Simulates the history interface of one Easemob app and the store behind its links, as strict as the real ones:
 * tokens, the call limit, hours too young, too old or empty, links that are signed to the byte and expire.
 */
export function easemobSandbox(options: SandboxOptions): Sandbox {
  const { seed, messagesPerHour } = options
  const now = () => options.now()
  const { generationDelayMs, retentionMs, callsPerMinute, linkLifeMs, tokenLifeMs, filesBaseUrl } =
    sandboxOptions.parse(options)
  const files = new SandboxFiles(seed)
  const tokens = new Map<string, number>()
  const ids = new Set<string>()
  const revisions = new Set<string>()
  let rows = 0
  let calls: number[] = []
  const server = new Hono()

  const fail = (context: Context, status: ContentfulStatusCode, error: string, description: string) =>
    context.json({ error, timestamp: now(), duration: 0, error_description: description }, status)
  const unknownApp = (context: Context) => {
    const asked = `${context.req.param('org')}/${context.req.param('app')}`
    if (asked === `${org}/${app}`) return null
    const description = `Could not find application for ${asked} from URI: ${context.req.path}`
    return fail(context, 404, 'organization_application_not_found', description)
  }
  const unauthorized = (context: Context) => {
    const [, token] = /^Bearer (\S+)$/.exec(context.req.header('authorization') ?? '') ?? []
    if (token === undefined) return fail(context, 401, 'unauthorized', 'Unable to authenticate (OAuth)')
    const endsAt = tokens.get(token)
    if (endsAt === undefined) {
      const description = 'Unable to authenticate due to corrupt access token'
      return fail(context, 401, 'auth_bad_access_token', description)
    }
    if (endsAt > now()) return null
    return fail(context, 401, 'unauthorized', 'Unable to authenticate due to expired access token')
  }
  const throttled = (context: Context) => {
    calls = calls.filter((at) => at > now() - 60_000)
    if (calls.length >= callsPerMinute) {
      return fail(context, 429, 'reach_limit', 'This request has reached api limit')
    }
    calls.push(now())
    return null
  }

  server.post('/:org/:app/token', async (context) => {
    const refusal = unknownApp(context)
    if (refusal) return refusal
    const body: unknown = await context.req.json().catch(() => null)
    const {
      grant_type: grant,
      client_id: id,
      client_secret: secret,
    } = tokenRequest.safeParse(body).data ?? {}
    if (grant !== 'client_credentials')
      return fail(context, 400, 'invalid_grant', 'grant_type is not supported')
    if (!id) return fail(context, 400, 'illegal_argument', 'client_id must be provided.')
    if (!secret) return fail(context, 400, 'illegal_argument', 'client_secret must be provided')
    if (id !== clientId) return fail(context, 400, 'invalid_grant', 'client_id does not match')
    if (secret !== clientSecret) return fail(context, 400, 'invalid_grant', 'client_secret does not match')
    const token = `YWMt${randomBytes(48).toString('base64url')}`
    tokens.set(token, now() + tokenLifeMs)
    return context.json({ application: `${org}-${app}`, access_token: token, expires_in: tokenLifeMs / 1000 })
  })

  server.get('/:org/:app/chatmessages/:hour', (context) => {
    const refusal = unknownApp(context) ?? unauthorized(context) ?? throttled(context)
    if (refusal) return refusal
    const hour = context.req.param('hour')
    const startMs = parseHour(hour, zoneMs)
    if (startMs === null) {
      return fail(context, 400, 'illegal_argument', `illegal arguments: appkey: ${org}#${app}, time: ${hour}`)
    }
    const endMs = startMs + hourMs
    if (now() < endMs + generationDelayMs || now() > endMs + retentionMs) {
      const maybe = 'maybe chat message history is expired or unstored'
      const description = `illegal arguments: appkey: ${org}#${app}, time: ${hour}, ${maybe}`
      return fail(context, 400, 'illegal_argument', description)
    }
    const base = context.req.url.split(`/${org}/${app}/chatmessages/`)[0]!
    if (linesOf(startMs).length === 0) {
      const what = 'Failed to find chat message history download url for'
      const description = `${what} appkey: ${org}#${app}, time: ${hour}`
      return fail(context, 404, 'storage_object_not_found', description)
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
    const startMs = parseHour(hour, zoneMs)!
    const lines = linesOf(startMs)
    return sendWhole(historyFile(lines), () => {
      for (const line of lines) {
        const { messageId, fingerprint } = identify(Buffer.from(line))
        rows++
        ids.add(messageId!)
        revisions.add(`${messageId!} ${fingerprint.toString('hex')}`)
      }
    })
  })

  server.get('/:org/:app/chatfiles/:uuid', (context) => {
    const refusal = unknownApp(context)
    if (refusal) return refusal
    const file = files.find(context.req.param('uuid'))
    if (file === null) return fail(context, 404, 'entity_not_found', 'file may not exists')
    const secret = context.req.query('share-secret') ?? context.req.header('share-secret')
    const refused = secret === file.secret ? null : unauthorized(context)
    if (refused) return refused
    if (file.expired) return fail(context, 404, 'file_expired', 'file is expired')
    return context.body(new Uint8Array(file.bytes), 200, { 'content-type': file.contentType })
  })

  function pathOf(hour: string): string {
    return `/history/${Math.ceil(retentionMs / dayMs)}D/${org}/${app}/${hour}.gz`
  }

  function linesOf(startMs: number): string[] {
    return historyLines(startMs, {
      seed,
      messagesPerHour,
      files,
      filesUrl: `${filesBaseUrl}/${org}/${app}/chatfiles`,
    })
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
    served: () => ({ rows, messages: ids.size, revisions: revisions.size }),
  }
}

const tokenRequest = z
  .object({ grant_type: z.string(), client_id: z.string(), client_secret: z.string() })
  .partial()

/** As a person would write it in the configuration. */
function durationText(ms: number): string {
  return ms % hourMs === 0 ? `${ms / hourMs}h` : `${ms / 60_000}m`
}
