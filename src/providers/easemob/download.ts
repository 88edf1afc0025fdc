import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

const maxRedirects = 3
const linkParts = /^(https?:\/\/[^/?#@\s]+)([^#]*)/i

/**
 * Opens a pre-signed link. The path and query go out exactly as the provider wrote them, for the signature covers
 * them (only what no request line can hold is percent-encoded), and never with an Authorization header, which the
 * object store refuses beside a signature (facts: Easemob SDK fix HIM-12008). Returns the status where it is not 200:
 * an expired link answers 403; 0 where the text is no link. Throws the error of the connection.
 */
export async function openLink(
  link: string,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<{ file: Readable } | { status: number }> {
  let target = link.trim()
  for (let redirects = 0; ; redirects++) {
    const [, origin, rest] = linkParts.exec(target) ?? []
    if (origin === undefined || rest === undefined || !URL.canParse(origin)) return { status: 0 }
    const path = sendable(rest.startsWith('/') ? rest : `/${rest}`)
    const { statusCode, headers, body } = await dispatcher.request({ origin, path, method: 'GET', signal })
    if (statusCode === 200) return { file: body }
    await body.dump({ limit: 65_536, signal })
    const next = typeof headers.location === 'string' ? absolute(headers.location.trim(), target) : null
    if (statusCode < 300 || statusCode > 399 || next === null || redirects === maxRedirects)
      return { status: statusCode }
    target = next
  }
}

function absolute(location: string, from: string): string | null {
  if (/^https?:\/\//i.test(location)) return location
  return URL.canParse(location, from) ? new URL(location, from).href : null
}

function sendable(path: string): string {
  return path.replace(/[^\x21-\x7e]+/gu, (text) =>
    encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd')),
  )
}
