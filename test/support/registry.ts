import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import avsc from 'avsc'
import type { Cleanup } from './cleanup.ts'

/** An answer; text that is no JSON stands for a page. */
interface Reply {
  status: number
  body: unknown
}

export interface FakeRegistryOptions {
  /** Whose answers it gives: Confluent's and Apicurio's differ in what they tell and how they refuse. */
  style?: 'confluent' | 'apicurio'
  /** The `Authorization` header that it asks for; none otherwise. */
  authorization?: string
  /** Before every path of the interface. */
  path?: string
  level?: 'NONE' | 'BACKWARD' | 'FULL'
}

/** A schema registry in this process, strict about what it is sent. */
export interface FakeRegistry {
  url: string
  /** `METHOD path` of every call so far, without the prefix. */
  calls: string[]
  /** Subjects with the ids of their versions. */
  subjects: Map<string, number[]>
  /** Schema texts by id. */
  schemas: Map<number, string>
  /** Answers instead of the registry where it gives something back; `drop` closes the connection. */
  instead: ((method: string, path: string) => Reply | 'drop' | undefined) | undefined
  /** Registers as another program would. */
  add(subject: string, schema: string): number
  close(): Promise<void>
}

export async function startRegistry(t: Cleanup, options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const { style = 'confluent', authorization, path: prefix = '', level = 'BACKWARD' } = options
  const subjects = new Map<string, number[]>()
  const schemas = new Map<number, string>()
  const server = createServer((request, response) => void serve(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const registry: FakeRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    calls: [],
    subjects,
    schemas,
    instead: undefined,
    add(subject, schema) {
      const id = [...schemas].find(([, text]) => text === schema)?.[0] ?? schemas.size + 1
      schemas.set(id, schema)
      const ids = subjects.get(subject) ?? []
      if (!ids.includes(id)) subjects.set(subject, [...ids, id])
      return id
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  t.after(() => registry.close())
  return registry

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    const path = url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : ''
    const body = method === 'POST' ? await json(request).catch(() => undefined) : undefined
    registry.calls.push(`${method} ${path}`)
    const reply = registry.instead?.(method, path) ?? answer(request, method, path, body)
    if (reply === 'drop') {
      request.socket.destroy()
      return
    }
    const isPage = typeof reply.body === 'string'
    response.writeHead(reply.status, {
      'content-type': isPage ? 'text/html' : 'application/vnd.schemaregistry.v1+json',
    })
    response.end(isPage ? reply.body : JSON.stringify(reply.body))
  }

  function answer(request: IncomingMessage, method: string, path: string, body: unknown): Reply {
    if (authorization !== undefined && request.headers.authorization !== authorization)
      return style === 'apicurio'
        ? { status: 401, body: '<html><body>Unauthorized</body></html>' }
        : error(401, 401, 'Unauthorized')
    if (method === 'POST' && !/schemaregistry\.v1\+json/.test(request.headers['content-type'] ?? ''))
      return error(415, 415, 'HTTP 415 Unsupported Media Type')
    const [, one = '', subject = '', ...rest] = path.split('?')[0]!.split('/').map(decodeURIComponent)
    const { schema, ...more } = (body ?? {}) as { schema?: string }
    if (Object.keys(more).length > 0) return error(422, 42201, 'unknown property')
    if (method === 'POST' && !isAvro(schema)) return error(422, 42201, 'Invalid schema')
    if (one === 'subjects' && method === 'POST')
      return rest.length > 0 ? add(subject, schema!) : find(subject, schema!)
    if (one === 'subjects') return versions(subject, rest[1])
    if (one === 'compatibility') return judge(decodeURIComponent(path.split('/')[3]!), schema!)
    if (one === 'schemas' && schemas.has(Number(rest[0])))
      return { status: 200, body: { schema: schemas.get(Number(rest[0])) } }
    if (one === 'schemas') return error(404, 40403, 'Schema not found')
    if (one === 'config') return { status: 200, body: { compatibilityLevel: level } }
    return style === 'apicurio' ? { status: 404, body: '' } : error(404, 404, 'HTTP 404 Not Found')
  }

  function find(subject: string, schema: string): Reply {
    const ids = subjects.get(subject)
    if (!ids) return error(404, 40401, `Subject '${subject}' not found.`)
    const at = ids.findIndex((id) => schemas.get(id) === schema)
    if (at < 0) return error(404, 40403, 'Schema not found')
    return { status: 200, body: { subject, version: at + 1, id: ids[at], schema } }
  }

  function versions(subject: string, version: string | undefined): Reply {
    const ids = subjects.get(subject)
    if (!ids) return error(404, 40401, `Subject '${subject}' not found.`)
    if (version === undefined) return { status: 200, body: ids.map((_id, at) => at + 1) }
    const id = ids[Number(version) - 1]
    if (id === undefined) return error(404, 40402, 'Version not found.')
    return { status: 200, body: { subject, version: Number(version), id, schema: schemas.get(id) } }
  }

  function judge(subject: string, schema: string): Reply {
    const ids = subjects.get(subject)
    if (!ids && style === 'confluent') return error(404, 40401, `Subject '${subject}' not found.`)
    const is_compatible = fits(ids, schema)
    const messages = is_compatible
      ? []
      : ["{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'…'}"]
    return { status: 200, body: style === 'confluent' ? { is_compatible, messages } : { is_compatible } }
  }

  function add(subject: string, schema: string): Reply {
    if (!fits(subjects.get(subject), schema))
      return error(409, style === 'confluent' ? 409 : 40901, 'Schema being registered is incompatible')
    return { status: 200, body: { id: registry.add(subject, schema) } }
  }

  function fits(ids: readonly number[] | undefined, schema: string): boolean {
    const last = ids?.at(-1)
    if (last === undefined || level === 'NONE') return true
    const [old, now] = [schemas.get(last)!, schema].map((text) =>
      avsc.Type.forSchema(JSON.parse(text) as avsc.Schema),
    )
    return resolves(now!, old!) && (level === 'BACKWARD' || resolves(old!, now!))
  }
}

function error(status: number, code: number, message: string): Reply {
  return { status, body: { error_code: code, message } }
}

function resolves(reader: avsc.Type, writer: avsc.Type): boolean {
  try {
    reader.createResolver(writer)
    return true
  } catch {
    return false
  }
}

function isAvro(text: string | undefined): boolean {
  try {
    avsc.Type.forSchema(JSON.parse(text ?? '') as avsc.Schema)
    return true
  } catch {
    return false
  }
}
