import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

const maxRedirects = 3
const linkParts = /^(https?:\/\/[^/?#@\s]+)([/?][^#\s]*)$/i

/**
 * Opens a pre-signed link. The path and query go out exactly as the provider wrote them, for the signature covers
 * them, and never with an Authorization header, which the object store refuses beside a signature (facts: Easemob
 * SDK fix HIM-12008). Returns the status where it is not 200: an expired link answers 403; 0 where the text is no
 * link. Throws the error of the connection.
 */
export async function openLink(
  link: string,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<{ file: Readable } | { status: number }> {
  let target = link
  for (let redirects = 0; ; redirects++) {
    const [, origin, path] = linkParts.exec(target) ?? []
    if (origin === undefined || path === undefined) return { status: 0 }
    const { statusCode, headers, body } = await dispatcher.request({ origin, path, method: 'GET', signal })
    if (statusCode === 200) return { file: body }
    await body.dump({ limit: 65_536, signal })
    const { location } = headers
    if (statusCode < 300 || statusCode > 399 || typeof location !== 'string' || redirects === maxRedirects) {
      return { status: statusCode }
    }
    target = /^https?:/i.test(location) ? location : new URL(location, target).href
  }
}
