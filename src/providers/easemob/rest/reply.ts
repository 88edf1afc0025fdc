import type { Dispatcher } from 'undici'
import { parseLossless } from '../../canonical.ts'
import { decode, isTooLarge } from '../../http/encoding.ts'
import { dateOf, retryAfterOf } from '../../../http-headers.ts'
import { endOfValue, membersOf, skipSpace } from '../../slices.ts'
import { asTime } from '../message/records.ts'
import type { Answer } from './verdicts.ts'

/** An answer with its body. */
export interface Reply extends Answer {
  /** The members of the body's JSON object, byte for byte; null where the body is no whole object. */
  frame: ReadonlyMap<string, Buffer> | null
  /** The body was longer than allowed and is not here. */
  tooLong: boolean
  /** What the service's clock says (header `Date`, else the body's `timestamp`); null where it says nothing. */
  serverTimeMs: number | null
}

/** Reads an answer to its end. Throws the error of the connection, also for a body shorter than announced. */
export async function readReply(
  { statusCode, headers, body }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>,
  { maxBytes, nowMs }: { maxBytes: number; nowMs: number },
): Promise<Reply> {
  const bytes = await readWithin(body, maxBytes, [headers['content-encoding'] ?? []].flat().join(','))
  const frame = bytes && frameOf(bytes)
  const date = dateOf(headers.date)
  return {
    status: statusCode,
    error: textOf(frame, 'error') || null,
    text: textOf(frame, 'error_description') || textOf(frame, 'desc'),
    retryAfterMs: retryAfterOf(headers['retry-after'], date ?? nowMs),
    frame,
    tooLong: bytes === null,
    serverTimeMs: date ?? asTime(memberOf(frame, 'timestamp')),
  }
}

/** A member of an answer, parsed; undefined where it is missing or no JSON. */
export function memberOf(frame: Reply['frame'], name: string): unknown {
  const bytes = frame?.get(name)
  if (bytes === undefined) return undefined
  try {
    return parseLossless(bytes.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function textOf(frame: Reply['frame'], name: string): string {
  const value = memberOf(frame, name)
  return typeof value === 'string' ? value : ''
}

/** A gateway's page, half an answer or two of them are no frame: the status alone decides then. */
function frameOf(bytes: Buffer): Reply['frame'] {
  const end = endOfValue(bytes, skipSpace(bytes, 0))
  return end >= 0 && skipSpace(bytes, end) === bytes.length ? membersOf(bytes) : null
}

/** Null beyond `maxBytes`, empty where the encoding cannot be undone: then it is no frame either. */
async function readWithin(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  encodings: string,
): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) return null
  }
  try {
    return await decode(Buffer.concat(chunks), encodings, maxBytes)
  } catch (error) {
    return isTooLarge(error) ? null : Buffer.alloc(0)
  }
}
