import { ChatfeedError, type Remedy } from '../../errors.ts'

/** What the cluster said against a request, or against one item of it. `reason` may repeat a message: it is never shown. */
export interface Objection {
  status: number
  /** The name of the exception, `''` where there was none. */
  type: string
  reason: string
}

type Verdict = readonly [remedy: Remedy, code: string, what: string, mend: string]

interface Rule {
  status?: number
  type?: RegExp
  reason?: RegExp
  verdict: Verdict
}

/** The code of what is worth another attempt soon. */
export const busy = 'search_busy'
/** The code of what becomes possible in smaller pieces. */
export const tooLarge = 'search_too_large'

const busyVerdict: Verdict = [
  'transient',
  busy,
  'cannot take requests now',
  'It is tried again; look at the health and the load of the cluster if this lasts.',
]
const notThere = 'Check url, and that nothing but OpenSearch or Elasticsearch answers there.'

/** The first rule that fits decides. */
const rules: readonly Rule[] = [
  { status: 503, verdict: busyVerdict },
  {
    type: /^cluster_block_exception$/,
    verdict: [
      'transient',
      'search_read_only',
      'does not let the index be written',
      'Free space on its disks (at the flood stage it blocks writing), or set index.blocks of the index back.',
    ],
  },
  { status: 429, verdict: busyVerdict },
  { status: 502, verdict: busyVerdict },
  { status: 504, verdict: busyVerdict },
  {
    status: 401,
    verdict: [
      'transient',
      'search_unauthorized',
      'does not accept the credentials',
      'Check username and password of the sink.',
    ],
  },
  {
    status: 403,
    verdict: [
      'transient',
      'search_forbidden',
      'does not allow what the sink must do',
      'Give its user the cluster privileges monitor and manage_index_templates, and all on the indices that begin with `index`.',
    ],
  },
  {
    status: 404,
    type: /^(index_not_found_exception|aliases_not_found_exception)$/,
    verdict: [
      'transient',
      'store_gone',
      'no longer has the index',
      'It is made anew, and filled from what Kafka still keeps.',
    ],
  },
  {
    type: /^index_closed_exception$/,
    verdict: ['transient', 'search_closed', 'has closed the index', 'Open it: POST INDEX/_open.'],
  },
  {
    type: /^invalid_alias_name_exception$|^invalid_index_name_exception$/,
    verdict: [
      'fatal',
      'search_name_taken',
      'already has an index of that name, or does not allow it',
      'Choose another `index` for the sink: it becomes an alias.',
    ],
  },
  {
    status: 400,
    type: /^validation_exception$/,
    reason: /maximum/,
    verdict: [
      'transient',
      'search_too_many_shards',
      'has as many shards as it may have',
      'Remove indices, or raise cluster.max_shards_per_node.',
    ],
  },
  {
    status: 400,
    reason: /no write index/,
    verdict: [
      'transient',
      'search_no_write_index',
      'has several indices behind the alias, and none to write to',
      'Leave one index behind it, or mark one with is_write_index.',
    ],
  },
  {
    status: 413,
    verdict: [
      'transient',
      tooLarge,
      'does not take a request of that size',
      'Raise http.max_content_length, or the limit of the proxy before it.',
    ],
  },
]

const internal: Verdict = ['transient', 'search_failed', 'failed inside', 'Look into the log of the cluster.']
const foreign: Verdict = ['transient', 'search_foreign', 'answers as no search engine does', notThere]
const unknown: Verdict = [
  'transient',
  'search_refused',
  'refuses the request',
  'Look into the log of the cluster; templates and pipelines of its own may stand in the way.',
]

/** What speaks of one document only: its neighbours are taken. */
const unmappable: Rule[] = [
  { type: /^(mapper_parsing|document_parsing|strict_dynamic_mapping)_exception$/, verdict: ofMessage() },
  {
    type: /^illegal_argument_exception$/,
    reason: /immense term|^id is too long|^id \[/,
    verdict: ofMessage(),
  },
]

function ofMessage(): Verdict {
  return [
    'message',
    'search_unmappable',
    'cannot index this message',
    'Compare the mapping of the index with the message, then `chatfeed dead replay`.',
  ]
}

const fits = (rule: Rule, { status, type, reason }: Objection): boolean =>
  (rule.status === undefined || rule.status === status) &&
  (rule.type?.test(type) ?? true) &&
  (rule.reason?.test(reason) ?? true)

function verdictOn(objection: Objection, first: readonly Rule[]): Verdict {
  const rule = [...first, ...rules].find((each) => fits(each, objection))
  if (rule) return rule.verdict
  if (objection.status >= 500) return internal
  return objection.type === '' ? foreign : unknown
}

/** The error for a request that the cluster at `url` did not do. */
export function requestFailure(url: string, objection: Objection): ChatfeedError {
  return failure(url, verdictOn(objection, []), objection)
}

/** The error for one item of a bulk request; with the remedy `message` it speaks of that document alone. */
export function itemFailure(url: string, objection: Objection): ChatfeedError {
  return failure(url, verdictOn(objection, unmappable), objection)
}

/** The error for an answer, or for a state of the cluster, that this sink cannot work with. */
export function foreignAnswer(url: string): ChatfeedError {
  return failure(url, foreign, { status: 200, type: '', reason: '' })
}

function failure(url: string, verdict: Verdict, { status, type }: Objection): ChatfeedError {
  const [remedy, code, what, mend] = verdict
  const said = type === '' ? String(status) : `${status} ${type}`
  return new ChatfeedError(remedy, code, `The search cluster at ${url} ${what} (${said}).`, { mend })
}

/** The error for an analyzer that is asked for by name and is not there. */
export function noAnalyzer(url: string, analyzer: string): ChatfeedError {
  return new ChatfeedError(
    'fatal',
    'search_no_analyzer',
    `The search cluster at ${url} has no analyzer ${analyzer}.`,
    {
      mend: 'Install its plugin on every node, or set `analyzer: auto`.',
    },
  )
}

/** The error for an index that was removed while it was in use. */
export function indexGone(url: string): ChatfeedError {
  return requestFailure(url, { status: 404, type: 'index_not_found_exception', reason: '' })
}

/** The error for a message whose `_id` no cluster takes. */
export function idTooLong(): ChatfeedError {
  return new ChatfeedError('message', 'search_id_too_long', 'The id of the message is longer than 512 bytes.')
}

/** The error for a message whose document alone is more than the cluster takes at once. */
export function documentTooLarge(bytes: number): ChatfeedError {
  return new ChatfeedError('message', tooLarge, `The cluster does not take a document of ${bytes} bytes.`, {
    mend: 'Raise http.max_content_length, or the limit of the proxy before it, then `chatfeed dead replay`.',
  })
}

/** By the code of an error of the connection. */
const tlsCodes =
  /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|^ERR_(TLS|SSL|OSSL)|^EPROTO$|^HPE_|UND_ERR_(SOCKET|HEADERS_OVERFLOW)/

/** The error for a call that got no answer. */
export function connectionFailure(url: string, cause: unknown): ChatfeedError {
  const { code = '' } = cause as { code?: string }
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|^ERR_TLS/.test(code)
  const word = code === '' ? '' : ` (${code})`
  return certificate || tlsCodes.test(code)
    ? new ChatfeedError(
        'transient',
        'search_tls',
        `The connection to the search cluster at ${url} fails${word}.`,
        {
          cause,
          mend: certificate
            ? 'Give the authority of its certificate as tls.ca, and the name in the certificate in url.'
            : 'Check whether url must begin with http:// or https://, and tls.cert and tls.key.',
        },
      )
    : new ChatfeedError(
        'transient',
        'search_unreachable',
        `The search cluster at ${url} cannot be reached${word}.`,
        {
          cause,
          mend: 'Start it, or check url.',
        },
      )
}
