import type { Dispatcher } from 'undici'
import { failed, type Outcome, refused } from './outcome.ts'

/** Longer errors are pages, which say nothing to a program. */
const mostErrorBytes = 8_192

/** What a status other than 2xx says of a file. `text` is the body, of which the provider's own word is believed. */
export function judgeStatus(status: number, text: string): Outcome {
  if (status === 404 || status === 410) {
    // The app's name or host is wrong, and no file is gone (facts: Easemob docs, errors).
    return text.includes('organization_application_not_found')
      ? failed('unknown_app')
      : { state: 'gone', reason: `status_${status}`, retry: false }
  }
  if (status === 401 || status === 403 || status === 451)
    return { state: 'forbidden', reason: `status_${status}`, retry: false }
  return status === 413 || status === 414 ? refused(`status_${status}`) : failed(`status_${status}`)
}

/** The body of an error, as far as it is short; `''` where it is not. */
export async function errorText({ body }: Dispatcher.ResponseData): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > mostErrorBytes) return '' // leaving the loop ends the connection
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

/** The length of a file by the headers of an answer to all of it or to a part; null where they do not tell. */
export function sizeOf({ statusCode, headers }: Dispatcher.ResponseData): number | null {
  const range = /\/(\d{1,15})$/.exec(String(headers['content-range'] ?? ''))?.[1]
  const text = statusCode === 206 ? range : headers['content-length']
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null
}

/** The type that an answer names, without parameters; undefined for none and for `any bytes`. */
export function typeOf({ headers }: Dispatcher.ResponseData): string | undefined {
  const type = String(headers['content-type'] ?? '')
    .split(';')[0]!
    .trim()
    .toLowerCase()
  const says = /^[\w.+-]+\/[\w.+-]+$/.test(type) && !/^(?:application|binary)\/octet-stream$/.test(type)
  return says ? type : undefined
}

/** Whether the file, or the part asked for, is in the answer. */
export function isThere({ statusCode }: Dispatcher.ResponseData): boolean {
  return statusCode === 200 || statusCode === 206
}

/** Whether more rights could open the file. */
export function isRefusal({ statusCode }: Dispatcher.ResponseData): boolean {
  return statusCode === 401 || statusCode === 403
}
