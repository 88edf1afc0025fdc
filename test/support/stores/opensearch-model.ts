import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** An answer; a text is sent as it is. */
export interface Reply {
  status: number
  body: unknown
  type?: string
}

interface Document {
  version: number
  /** Undefined where it was deleted: its version is remembered. */
  source: Record<string, unknown> | undefined
}

interface Index {
  uuid: string
  aliases: Set<string>
  documents: Map<string, Document>
}

const failed = (status: number, type: string, reason: string): Reply => ({
  status,
  body: { error: { root_cause: [{ type, reason }], type, reason }, status },
})
const ok = (body: unknown, status = 200): Reply => ({ status, body })
const notFound = (name: string) => failed(404, 'index_not_found_exception', `no such index [${name}]`)
const acknowledged = ok({ acknowledged: true })

/** The actions and options of a bulk request. */
interface Action {
  _index?: string
  _id: string
  version: number
  version_type: string
}

/**
 * What the few calls of the sink do, as OpenSearch 2.19 does it: names, statuses and forms of the answers are copied from
 * a real one. It knows no shards, no analysis and no privileges, and refuses every call that it does not know.
 */
export class SearchModel {
  readonly indices = new Map<string, Index>()
  readonly templates = new Map<string, unknown>()
  analyzers = new Set(['cjk', 'standard'])

  reply(method: string, url: URL, body: string, headers: IncomingHttpHeaders): Reply {
    const [first = '', second = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent)
    const isLines = url.pathname.endsWith('/_bulk')
    if (body !== '' && headers['content-type'] !== `application/${isLines ? 'x-ndjson' : 'json'}`)
      return failed(406, 'content_type_header_exception', 'Content-Type header is not supported')
    const call = `${method} ${[first.startsWith('_') ? first : 'INDEX', second.startsWith('_') ? second : ''].join('/')}`
    const given = () => JSON.parse(body) as Record<string, unknown>
    switch (url.pathname === '/' ? 'GET /' : call) {
      case 'GET /':
        return ok({
          name: 'double',
          cluster_name: 'double',
          version: { distribution: 'opensearch', number: '2.19.1' },
          tagline: 'The OpenSearch Project: https://opensearch.org/',
        })
      case 'POST _analyze/':
        return this.#analyze(String(given()['analyzer']))
      case 'GET _alias/':
        return this.#alias(second)
      case 'PUT _index_template/':
        this.templates.set(second, given())
        return acknowledged
      case 'GET _cluster/':
        return ok({ status: 'yellow' })
      case 'PUT INDEX/':
        return this.#create(first, Object.keys(given()['aliases'] ?? {}))
      case 'DELETE INDEX/':
        return this.indices.delete(first) ? acknowledged : notFound(first)
      case 'PUT INDEX/_alias':
        this.indices.get(first)?.aliases.add(rest[0] ?? '')
        return this.indices.has(first) ? acknowledged : notFound(first)
      case 'GET INDEX/_settings':
        return this.#settings(first, rest[0] === 'index.uuid')
      case 'POST INDEX/_refresh':
        return this.#behind(first).length > 0
          ? ok({ _shards: { total: 2, successful: 1, failed: 0 } })
          : notFound(first)
      case 'GET INDEX/_count':
        return this.#behind(first).length > 0 ? ok({ count: this.#hits(first).length }) : notFound(first)
      case 'POST INDEX/_search':
        return this.#search(first, given())
      case 'GET INDEX/_doc':
        return this.#get(first, rest[0] ?? '')
      case 'PUT INDEX/_doc':
        return this.#put(first, rest[0] ?? '', url.searchParams, given())
      case 'POST _bulk/':
        return this.#bulk(undefined, body)
      case 'POST INDEX/_bulk':
        return this.#bulk(first, body)
      default:
        return failed(400, 'illegal_argument_exception', `the double does not know ${call}`)
    }
  }

  #analyze(analyzer: string): Reply {
    if (this.analyzers.has(analyzer)) return ok({ tokens: [] })
    return failed(400, 'illegal_argument_exception', `failed to find global analyzer [${analyzer}]`)
  }

  #alias(alias: string): Reply {
    const found = [...this.indices].filter(([, { aliases }]) => aliases.has(alias))
    if (found.length === 0) return { status: 404, body: { error: `alias [${alias}] missing`, status: 404 } }
    return ok(Object.fromEntries(found.map(([name]) => [name, { aliases: { [alias]: {} } }])))
  }

  #create(name: string, aliases: readonly string[]): Reply {
    if (this.indices.has(name))
      return failed(400, 'resource_already_exists_exception', `index [${name}] already exists`)
    if (aliases.some((alias) => this.indices.has(alias)))
      return failed(400, 'invalid_alias_name_exception', `an index exists with the same name as the alias`)
    this.indices.set(name, { uuid: randomUUID(), aliases: new Set(aliases), documents: new Map() })
    return ok({ acknowledged: true, shards_acknowledged: true, index: name })
  }

  #settings(name: string, isUuid: boolean): Reply {
    const behind = this.#behind(name)
    if (behind.length === 0) return notFound(name)
    const settingsOf = ({ uuid }: Index) => (isUuid ? { 'index.uuid': uuid } : {})
    return ok(Object.fromEntries(behind.map(([of, index]) => [of, { settings: settingsOf(index) }])))
  }

  #search(name: string, { size, query }: { size?: number; query?: { ids?: { values: string[] } } }): Reply {
    if (this.#behind(name).length === 0) return notFound(name)
    const wanted = query?.ids && new Set(query.ids.values)
    const hits = this.#hits(name).filter(({ _id }) => wanted?.has(_id) ?? true)
    return ok({ timed_out: false, hits: { hits: hits.slice(0, size) } })
  }

  #get(name: string, id: string): Reply {
    const index = this.indices.get(name)
    if (!index) return notFound(name)
    const source = index.documents.get(id)?.source
    const found = { _index: name, _id: id, found: source !== undefined }
    return source ? ok({ ...found, _source: source }) : { status: 404, body: found }
  }

  #put(name: string, id: string, query: URLSearchParams, source: Record<string, unknown>): Reply {
    const action = {
      _id: id,
      version: Number(query.get('version')),
      version_type: query.get('version_type') ?? '',
    }
    const { status, error } = this.#store(name, action, source)
    return error ? failed(status, error.type, error.reason) : ok({ _id: id, result: 'created' }, status)
  }

  #bulk(alias: string | undefined, body: string): Reply {
    if (!body.endsWith('\n'))
      return failed(
        400,
        'illegal_argument_exception',
        'The bulk request must be terminated by a newline [\\n]',
      )
    const lines = body.split('\n').slice(0, -1)
    const items: Record<string, unknown>[] = []
    for (let at = 0; at < lines.length; at++) {
      const [[kind, action] = ['', undefined]] = Object.entries(
        JSON.parse(lines[at]!) as Record<string, Action>,
      )
      if (!action || !['index', 'delete'].includes(kind))
        return failed(400, 'illegal_argument_exception', 'Malformed')
      if (Buffer.byteLength(action._id) > 512)
        return failed(400, 'action_request_validation_exception', 'Validation Failed: 1: id is too long')
      const source = kind === 'index' ? (JSON.parse(lines[++at]!) as Record<string, unknown>) : undefined
      items.push({ [kind]: this.#store(this.#writeIndex(alias, action), action, source) })
    }
    return ok({ took: 1, errors: items.some((item) => 'error' in (Object.values(item)[0] as object)), items })
  }

  /** Where an action goes; with an alias in the path it has to be one. */
  #writeIndex(alias: string | undefined, { _index }: Action): string | undefined {
    if (alias === undefined) return _index
    const behind = [...this.indices].filter(([, { aliases }]) => aliases.has(alias))
    return behind.length === 1 ? behind[0]![0] : undefined
  }

  #store(
    name: string | undefined,
    { _id, version, version_type }: Action,
    source: Record<string, unknown> | undefined,
  ): { status: number; error?: { type: string; reason: string } } {
    const index = this.indices.get(name ?? '')
    if (!index) return { status: 404, error: { type: 'index_not_found_exception', reason: 'no such index' } }
    const stored = index.documents.get(_id)
    const least = (stored?.version ?? -1) + (version_type === 'external' ? 1 : 0)
    if (version < least) {
      const reason = `[${_id}]: version conflict, current version [${stored?.version}] is higher or equal`
      return { status: 409, error: { type: 'version_conflict_engine_exception', reason } }
    }
    index.documents.set(_id, { version, source })
    if (!source) return { status: stored?.source ? 200 : 404 }
    return { status: stored?.source ? 200 : 201 }
  }

  #behind(name: string): [string, Index][] {
    return [...this.indices].filter(([own, { aliases }]) => own === name || aliases.has(name))
  }

  #hits(name: string): { _id: string; _index: string; _version: number; _source: unknown }[] {
    return this.#behind(name).flatMap(([_index, { documents }]) =>
      [...documents].flatMap(([_id, { version: _version, source: _source }]) =>
        _source ? [{ _id, _index, _version, _source }] : [],
      ),
    )
  }
}
