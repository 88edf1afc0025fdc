import { Agent, request } from 'undici'
import { withDeadline } from '../deadline.ts'
import type { RegistryConfig } from './config.ts'
import { type Answer, failureOf, fieldOf, isAbsent, reasonIn, unreachable } from './failure.ts'

const connectTimeoutMs = 5_000
const wholeAnswerMs = 15_000
const maxAnswerBytes = 8 * 1024 * 1024
const mediaType = 'application/vnd.schemaregistry.v1+json'

/** What a registry says of a schema that is to become the next version of a subject. */
export type Compatibility = { fits: true } | { fits: false; reasons: string[] }

/** A version of a subject; the text is null where it is no Avro schema. */
export interface RegisteredSchema {
  id: number
  text: string | null
}

/**
 * The calls of a schema registry's Confluent-compatible interface that chatfeed makes; every call one request. Throws
 * ChatfeedError: `transient` while the registry cannot answer, `fatal` when it refuses or is none. The credentials are
 * in no error.
 */
export class Registry {
  /** As it is configured, for messages. */
  readonly url: string
  readonly #headers: Record<string, string>
  readonly #agent: Agent

  constructor({ url, username, password = '', token, tls }: RegistryConfig) {
    this.url = url
    const basic = () => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    const authorization = token === undefined ? username && basic() : `Bearer ${token}`
    this.#headers = {
      accept: `${mediaType}, application/json`,
      'content-type': mediaType,
      ...(authorization ? { authorization } : {}),
    }
    this.#agent = new Agent({ connections: 4, connect: { ...tls, timeout: connectTimeoutMs } })
  }

  /** The id of a schema in a subject; null where it is not registered there. */
  async lookUp(subject: string, text: string, signal: AbortSignal): Promise<number | null> {
    const answer = await this.#post(`subjects/${encode(subject)}`, text, signal)
    return isAbsent(answer) ? null : (idIn(answer) ?? this.#fail(answer, `looking up ${subject}`))
  }

  /** Whether a schema may become the next version; one without a predecessor may. */
  async compatibility(subject: string, text: string, signal: AbortSignal): Promise<Compatibility> {
    const path = `compatibility/subjects/${encode(subject)}/versions/latest?verbose=true`
    const answer = await this.#post(path, text, signal)
    if (isAbsent(answer)) return { fits: true }
    const verdict = fieldOf(answer.json, 'is_compatible')
    if (answer.status !== 200 || typeof verdict !== 'boolean')
      return this.#fail(answer, `asking whether the schema fits ${subject}`)
    return verdict ? { fits: true } : { fits: false, reasons: textsIn(answer, 'messages') }
  }

  /** Registers a schema, or finds it registered; a refusal for not being compatible is answered, not thrown. */
  async register(
    subject: string,
    text: string,
    signal: AbortSignal,
  ): Promise<number | { reasons: string[] }> {
    const answer = await this.#post(`subjects/${encode(subject)}/versions`, text, signal)
    if (answer.status === 409) return { reasons: [reasonIn(answer)] }
    return idIn(answer) ?? this.#fail(answer, `registering ${subject}`)
  }

  /** Every version of a subject, the oldest first; none where the subject is not there. */
  async versions(subject: string, signal: AbortSignal): Promise<RegisteredSchema[]> {
    const path = `subjects/${encode(subject)}/versions`
    const answer = await this.#exchange('GET', path, undefined, signal)
    if (isAbsent(answer)) return []
    if (answer.status !== 200 || !Array.isArray(answer.json))
      return this.#fail(answer, `listing the versions of ${subject}`)
    const found: RegisteredSchema[] = []
    for (const version of answer.json) {
      const one = await this.#exchange('GET', `${path}/${Number(version)}`, undefined, signal)
      if (isAbsent(one)) continue // deleted in the meantime
      const id = idIn(one)
      if (id === undefined) return this.#fail(one, `reading a version of ${subject}`)
      found.push({ id, text: avroTextIn(one) })
    }
    return found
  }

  /** The schema of an id; undefined where the registry knows no such id. */
  async schema(id: number, signal: AbortSignal): Promise<string | null | undefined> {
    const answer = await this.#exchange('GET', `schemas/ids/${id}`, undefined, signal)
    if (isAbsent(answer)) return undefined
    if (answer.status !== 200 || typeof fieldOf(answer.json, 'schema') !== 'string')
      return this.#fail(answer, `asking for schema ${id}`)
    return avroTextIn(answer)
  }

  /** The compatibility level that holds for a subject, such as `BACKWARD`; null where the registry does not tell. */
  async level(subject: string, signal: AbortSignal): Promise<string | null> {
    const path = `config/${encode(subject)}?defaultToGlobal=true`
    const own = await this.#exchange('GET', path, undefined, signal)
    // A subject without a setting of its own may be unknown here, whatever was asked for.
    const answer = own.status === 404 ? await this.#exchange('GET', 'config', undefined, signal) : own
    const level = fieldOf(answer.json, 'compatibilityLevel')
    return answer.status === 200 && typeof level === 'string' ? level : null
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #post(path: string, text: string, signal: AbortSignal): Promise<Answer> {
    // Without a type: Avro is what every registry takes it for, also those that know no other.
    return this.#exchange('POST', path, JSON.stringify({ schema: text }), signal)
  }

  async #exchange(
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    try {
      return await withDeadline(wholeAnswerMs, signal, async (either) => {
        const answer = await request(`${this.url}/${path}`, {
          method,
          headers: this.#headers,
          body: body ?? null,
          dispatcher: this.#agent,
          signal: either,
        })
        const seconds = Number(answer.headers['retry-after'])
        return {
          status: answer.statusCode,
          json: parsed(await textOf(answer.body)),
          retryAfterMs: seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : undefined,
        }
      })
    } catch (cause) {
      signal.throwIfAborted()
      throw unreachable(cause, this.url)
    }
  }

  #fail(answer: Answer, doing: string): never {
    throw failureOf(answer, this.url, doing)
  }
}

/** As one segment of a path. */
const encode = (subject: string): string => encodeURIComponent(subject)

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) throw new Error('the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Undefined for what is no JSON, or JSON that is no object and no list, such as a gateway's page. */
function parsed(text: string): Answer['json'] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown> | unknown[])
      : undefined
  } catch {
    return undefined
  }
}

/** The schema id of a good answer. */
function idIn({ status, json }: Answer): number | undefined {
  const id = fieldOf(json, 'id')
  const isId = status === 200 && typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < 2 ** 32
  return isId ? id : undefined
}

/** Registries name a schema's type only where it is not Avro, and some always. */
function avroTextIn({ json }: Answer): string | null {
  const type = fieldOf(json, 'schemaType') ?? 'AVRO'
  const text = fieldOf(json, 'schema')
  return type === 'AVRO' && typeof text === 'string' ? text : null
}

function textsIn({ json }: Answer, name: string): string[] {
  const list = fieldOf(json, name)
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string') : []
}
