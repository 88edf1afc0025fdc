import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'

const tokenRequest = z
  .object({ grant_type: z.string(), client_id: z.string(), client_secret: z.string() })
  .partial()

/** Who may call the sandbox, and how often. */
export interface GateOptions {
  org: string
  app: string
  clientId: string
  clientSecret: string
  callsPerMinute: number
  tokenLifeMs: number
  now: () => number
}

/** Stands before the interfaces of the sandbox: its app, its tokens and its call limit. */
export class SandboxGate {
  readonly #options: GateOptions
  readonly #tokens = new Map<string, number>()
  #calls: number[] = []

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** An error in the service's own form. */
  fail(context: Context, status: ContentfulStatusCode, error: string, description: string): Response {
    const body = { error, timestamp: this.#options.now(), duration: 0, error_description: description }
    return context.json(body, status)
  }

  /** The answer to a call that may not pass; null for one that may. It counts against the limit then. */
  refusal(context: Context): Response | null {
    return this.unknownApp(context) ?? this.unauthorized(context) ?? this.#throttled(context)
  }

  unknownApp(context: Context): Response | null {
    const { org, app } = this.#options
    const asked = `${context.req.param('org')}/${context.req.param('app')}`
    if (asked === `${org}/${app}`) return null
    const description = `Could not find application for ${asked} from URI: ${context.req.path}`
    return this.fail(context, 404, 'organization_application_not_found', description)
  }

  unauthorized(context: Context): Response | null {
    const [, token] = /^Bearer (\S+)$/.exec(context.req.header('authorization') ?? '') ?? []
    if (token === undefined) return this.fail(context, 401, 'unauthorized', 'Unable to authenticate (OAuth)')
    const endsAt = this.#tokens.get(token)
    if (endsAt === undefined) {
      const description = 'Unable to authenticate due to corrupt access token'
      return this.fail(context, 401, 'auth_bad_access_token', description)
    }
    if (endsAt > this.#options.now()) return null
    return this.fail(context, 401, 'unauthorized', 'Unable to authenticate due to expired access token')
  }

  /** Answers `POST …/token`. */
  async giveToken(context: Context): Promise<Response> {
    const refusal = this.unknownApp(context)
    if (refusal) return refusal
    const { org, app, clientId, clientSecret, tokenLifeMs, now } = this.#options
    const body: unknown = await context.req.json().catch(() => null)
    const {
      grant_type: grant,
      client_id: id,
      client_secret: secret,
    } = tokenRequest.safeParse(body).data ?? {}
    const fail = (error: string, description: string) => this.fail(context, 400, error, description)
    if (grant !== 'client_credentials') return fail('invalid_grant', 'grant_type is not supported')
    if (!id) return fail('illegal_argument', 'client_id must be provided.')
    if (!secret) return fail('illegal_argument', 'client_secret must be provided')
    if (id !== clientId) return fail('invalid_grant', 'client_id does not match')
    if (secret !== clientSecret) return fail('invalid_grant', 'client_secret does not match')
    const token = `YWMt${randomBytes(48).toString('base64url')}`
    this.#tokens.set(token, now() + tokenLifeMs)
    return context.json({ application: `${org}-${app}`, access_token: token, expires_in: tokenLifeMs / 1000 })
  }

  #throttled(context: Context): Response | null {
    const nowMs = this.#options.now()
    this.#calls = this.#calls.filter((at) => at > nowMs - 60_000)
    if (this.#calls.length >= this.#options.callsPerMinute) {
      return this.fail(context, 429, 'reach_limit', 'This request has reached api limit')
    }
    this.#calls.push(nowMs)
    return null
  }
}
