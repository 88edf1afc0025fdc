import { Pool } from 'undici'
import type { ChatfeedError } from '../../errors.ts'
import type { OpensearchConfig } from './config.ts'
import { connectionFailure, foreignAnswer, type Objection, requestFailure } from './failure.ts'

const connectMs = 5_000
/** Longer than the cluster itself waits for a shard (`timeout` of a bulk request). */
const answerMs = 30_000
/** As many partitions write at once; more wait for a free connection. */
const connections = 8

/** One call: `path` with its query; `body` is JSON, or NDJSON as text. */
export interface Call {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  path: string
  body?: object | string
  /** Statuses beside 2xx that are an answer and no failure. */
  expect?: readonly number[]
}

/** What came back. */
export interface Answer<Body> {
  status: number
  body: Body
}

/** The HTTP interface of a cluster, over a few connections that are kept. */
export class SearchClient {
  /** For people: without path, query and credentials. */
  readonly url: string
  readonly #path: string
  readonly #headers: Record<string, string>
  readonly #pool: Pool

  constructor({
    url,
    username,
    password,
    tls,
  }: Pick<OpensearchConfig, 'url' | 'username' | 'password' | 'tls'>) {
    const { origin, pathname } = new URL(url)
    this.url = origin
    this.#path = pathname.replace(/\/+$/, '')
    const basic = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')
    this.#headers = username === undefined ? {} : { authorization: `Basic ${basic}` }
    this.#pool = new Pool(origin, {
      connections,
      connect: { timeout: connectMs, ...(typeof tls === 'object' && tls) },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
    })
  }

  /**
   * Makes a call. Throws ChatfeedError, `transient` for what may be mended without chatfeed; its code tells more
   * (failure.ts).
   */
  async call<Body>({ method, path, body, expect = [] }: Call): Promise<Answer<Body>> {
    const { status, text } = await this.#send(method, path, body)
    const answer = parsed(text)
    if (status < 300 || expect.includes(status)) {
      if (typeof answer !== 'object' || answer === null) throw foreignAnswer(this.url)
      return { status, body: answer as Body }
    }
    throw this.failure(status, answer)
  }

  /** The error for an answer that is none of those hoped for. */
  failure(status: number, answer: unknown): ChatfeedError {
    return requestFailure(this.url, objectionIn(status, answer))
  }

  async close(): Promise<void> {
    if (!this.#pool.destroyed) await this.#pool.destroy()
  }

  async #send(
    method: Call['method'],
    path: string,
    body: Call['body'],
  ): Promise<{ status: number; text: string }> {
    const isLines = typeof body === 'string'
    const type = isLines ? 'application/x-ndjson' : 'application/json'
    try {
      const { statusCode, body: stream } = await this.#pool.request({
        method,
        path: `${this.#path}${path}`,
        headers: { accept: 'application/json', 'content-type': type, ...this.#headers },
        body: isLines ? body : body === undefined ? null : JSON.stringify(body),
      })
      return { status: statusCode, text: await stream.text() }
    } catch (error) {
      throw connectionFailure(this.url, error)
    }
  }
}

/** Runs `work` with a client of its own. */
export async function withClient<T>(
  config: ConstructorParameters<typeof SearchClient>[0],
  work: (client: SearchClient) => Promise<T>,
): Promise<T> {
  const client = new SearchClient(config)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // a proxy speaks otherwise; the status tells enough
  }
}

interface ErrorBody {
  error?: { type?: string; reason?: string } | string
}

function objectionIn(status: number, answer: unknown): Objection {
  const { error } = (answer ?? {}) as ErrorBody
  if (typeof error !== 'object') return { status, type: '', reason: error ?? '' }
  return { status, type: error.type ?? '', reason: error.reason ?? '' }
}
