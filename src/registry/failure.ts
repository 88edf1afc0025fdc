import { ChatfeedError } from '../errors.ts'

/** Error codes of the registry's interface that are answers to a question: there is no such thing. */
const absences = new Set([40401, 40402, 40403])

/** An answer with a JSON body; undefined where the body is none. */
export interface Answer {
  status: number
  json: Record<string, unknown> | unknown[] | undefined
  retryAfterMs: number | undefined
}

/** Whether a registry says that the subject, the version or the schema is not there. A wrong address has no such code. */
export function isAbsent({ status, json }: Answer): boolean {
  return status === 404 && absences.has(Number(fieldOf(json, 'error_code')))
}

/** What the registry says is wrong; `''` where it says nothing. */
export function reasonIn({ json }: Answer): string {
  const reason = fieldOf(json, 'message')
  return typeof reason === 'string' ? reason.replace(/\s+/g, ' ').slice(0, 300) : ''
}

/** A field of an answer that is an object. */
export function fieldOf(json: Answer['json'], name: string): unknown {
  return json && !Array.isArray(json) ? json[name] : undefined
}

/** What an answer means that no call expects. `doing` completes "The schema registry at URL …". */
export function failureOf(answer: Answer, at: string, doing: string): ChatfeedError {
  const { status, json, retryAfterMs } = answer
  const told = (text: string) => `The schema registry at ${at} ${text} (${doing}, HTTP ${status}).`
  if (status === 401)
    return new ChatfeedError('fatal', 'registry_credentials', told('does not accept the credentials'), {
      mend: 'Check registry.username and registry.password, or registry.token.',
    })
  if (status === 403)
    return new ChatfeedError('fatal', 'registry_forbidden', told('does not let this account do that'), {
      mend: 'Give the account the right to read the subjects, and to write them unless registry.register is false.',
    })
  if (status === 429 || status >= 500)
    return new ChatfeedError('transient', 'registry_unavailable', told('cannot answer now'), {
      mend: 'Check that the registry is well.',
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  if (!json || status === 404 || (status >= 300 && status < 400))
    return new ChatfeedError('fatal', 'registry_address', told('does not answer as a schema registry does'), {
      mend: 'Check registry.url: it must hold the path of the Confluent-compatible interface, such as /apis/ccompat/v7.',
    })
  const reason = reasonIn(answer)
  return new ChatfeedError('fatal', 'registry_refused', told(reason ? `refuses: ${reason}` : 'refuses'), {
    mend: 'The log of the registry says more.',
  })
}

/** The other side could not be asked. */
export function unreachable(cause: unknown, at: string): ChatfeedError {
  const { code, message } = cause as { code?: unknown; message?: unknown }
  const word = typeof code === 'string' ? code : String(message)
  return new ChatfeedError(
    'transient',
    'registry_unreachable',
    `The schema registry at ${at} cannot be reached: ${word}.`,
    {
      cause,
      mend: 'Check registry.url, the network and that the registry runs.',
    },
  )
}
