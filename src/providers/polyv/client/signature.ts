import { createHash } from 'node:crypto'

/** Query parameters before signing; null, undefined, empty and blank values are not sent at all. */
export type Params = Readonly<Record<string, string | number | null | undefined>>

/** The account; the secret is never sent. */
export interface Credentials {
  appId: string
  appSecret: string
}

/**
 * The parameters that are really sent, sorted by name as the signature wants them. The official SDKs disagree
 * on whether an empty or blank value is signed (facts: Polyv signing rule, Java and TS SDK); leaving such
 * values out of the request satisfies all of them.
 */
function sentParams(params: Params): [name: string, value: string][] {
  return Object.entries(params)
    .map(([name, value]): [string, string] => [name, String(value ?? '')])
    .filter(([, value]) => value.trim() !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

/**
 * Signature of a request: upper-case hex of `secret + name1value1name2value2… + secret`, names ascending.
 * Raw values are signed; percent-encoding happens only on the wire. Path variables are not signed.
 */
export function signatureOf(params: Params, appSecret: string, digest: 'md5' | 'sha256' = 'md5'): string {
  const text = sentParams(params)
    .map(([name, value]) => name + value)
    .join('')
  return createHash(digest)
    .update(appSecret + text + appSecret, 'utf8')
    .digest('hex')
    .toUpperCase()
}

/**
 * A query string, ready to send, that is exactly what was signed plus `sign`. Good for three minutes around
 * `timestampMs`: each attempt needs its own.
 */
export function signedQuery(params: Params, credentials: Credentials, timestampMs: number): string {
  const signed = { ...params, appId: credentials.appId, timestamp: timestampMs }
  return [...sentParams(signed), ['sign', signatureOf(signed, credentials.appSecret)] as const]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}
