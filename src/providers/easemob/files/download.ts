import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { damagedFile } from './file-text.ts'

const maxRedirects = 3
/** For one file, in total: one that trickles must not hold up the source for ever. */
const withinMinutes = 30
const linkParts = /^(https?:\/\/[^/?#@\s\\]+)((?:[/?][^#]*)?)(?:#|$)/i

/** Whether a text is a link that can be asked for: http or https, without a user, and with no half characters. */
export function isLink(text: string): boolean {
  return partsOf(text) !== null
}

/**
 * Opens a pre-signed link. The path and query go out exactly as the provider wrote them, for the signature covers
 * them (only what no request line can hold is percent-encoded), and never with an Authorization header, which the
 * object store refuses beside a signature (facts: Easemob SDK fix HIM-12008). Returns the status where it is not 200:
 * an expired link answers 403. The file breaks off with `damaged_file` when 30 minutes do not suffice. Throws the error of the connection, and a RangeError for what `isLink` denies.
 */
export async function openLink(
  link: string,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<{ file: Readable } | { status: number }> {
  let target = partsOf(link)
  for (let redirects = 0; ; redirects++) {
    if (target === null) throw new RangeError('no link')
    const { statusCode, headers, body } = await dispatcher.request({ ...target, method: 'GET', signal })
    if (statusCode === 200) return { file: within(body, withinMinutes) }
    await body.dump({ limit: 65_536, signal })
    const { location } = headers
    const next =
      statusCode >= 300 && statusCode < 400 && typeof location === 'string' && redirects < maxRedirects
        ? partsOf(absolute(encoded(location.trim(), 'latin1'), target.origin + target.path))
        : null
    if (next === null) return { status: statusCode }
    target = next
  }
}

function within(file: Readable, minutes: number): Readable {
  const timer = setTimeout(() => {
    file.destroy(damagedFile(`is not complete after ${minutes} minutes`))
  }, minutes * 60_000)
  return file.once('close', () => {
    clearTimeout(timer)
  })
}

function partsOf(link: string): { origin: string; path: string } | null {
  const [, origin, rest] = linkParts.exec(link) ?? []
  if (origin === undefined || rest === undefined || !URL.canParse(origin) || /\p{Surrogate}/u.test(rest))
    return null
  return { origin, path: encoded(rest.startsWith('/') ? rest : `/${rest}`, 'utf8') }
}

/** `''` where it leads nowhere. */
function absolute(location: string, from: string): string {
  if (/^https?:\/\//i.test(location)) return location
  return URL.canParse(location, from) ? new URL(location, from).href : ''
}

/** Percent-encodes the bytes that no request line can hold; a header is read byte for byte, as latin1. */
function encoded(text: string, encoding: 'utf8' | 'latin1'): string {
  return text.replace(/[^\x21-\x7e]+/g, (part) =>
    Buffer.from(part, encoding).toString('hex').toUpperCase().replace(/../g, '%$&'),
  )
}
