import { type Dispatcher, request } from 'undici'
import type { FileAccess } from '../providers/provider.ts'
import type { Guard } from './guard.ts'

const mostRedirects = 5
const redirects = new Set([301, 302, 303, 307, 308])
const permanent = new Set([301, 308])

/** How one file is asked for. */
export interface Question {
  url: URL
  method: 'GET' | 'HEAD'
  /** Only for the address itself: none of them goes along a redirect. */
  headers?: Record<string, string>
}

/** An answer that is no redirect. Its body is unread: whoever gets it reads or dumps it. */
export interface Answer {
  response: Dispatcher.ResponseData
  /** Where it came from in the end. */
  url: URL
  /** Every redirect on the way was for good. */
  isPermanent: boolean
}

/** What guards a question, and who carries it. */
export interface Way {
  guard: Guard
  dispatcher: Dispatcher
  access: FileAccess | undefined
  signal: AbortSignal
}

/** A link that must not be followed, or leads in circles: a stable word. */
export interface NotAsked {
  refusal: string
}

/**
 * Asks for a file and follows redirects, each judged like the link itself. A header that opens the file, such as a
 * token, stays with the address it was meant for. Rejects where no answer comes.
 */
export async function ask(question: Question, way: Way): Promise<Answer | NotAsked> {
  let url = question.url
  let headers = question.headers ?? {}
  let isPermanent = true
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const refusal = way.guard.refusal(url, way.access)
    if (refusal !== null) return { refusal: hops === 0 ? refusal : `redirect_${refusal}` }
    if (way.guard.refusesLiteral(url)) return { refusal: 'address_refused' }
    const response = await request(url, {
      dispatcher: way.dispatcher,
      method: question.method,
      // What is stored is what was sent, so it must not be packed for the way.
      headers: { accept: '*/*', 'accept-encoding': 'identity', ...headers },
      signal: way.signal,
    })
    if (!redirects.has(response.statusCode)) return { response, url, isPermanent }
    await response.body.dump()
    const { location } = response.headers
    if (typeof location !== 'string' || !URL.canParse(location, url.href))
      return { refusal: 'redirect_nowhere' }
    isPermanent &&= permanent.has(response.statusCode)
    url = new URL(location, url)
    headers = withoutRights(headers)
  }
  return { refusal: 'too_many_redirects' }
}

/** Where the redirect leads is another address, also on the same host. */
function withoutRights({ range }: Record<string, string>): Record<string, string> {
  return range === undefined ? {} : { range }
}
