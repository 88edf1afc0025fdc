/**
 * One page of the retired interface `GET …/chatmessages?ql=…&limit=…&cursor=…` (facts: Easemob docs SEED0; real answers
 * in DASHER, REGD). Nothing but GET is ever sent there.
 */
import type { RawRecord } from '../../provider.ts'
import { elementsOf } from '../../slices.ts'
import type { EasemobClient } from '../rest/client.ts'
import { type Failure, failed, failedBy } from '../rest/failure.ts'
import { identify } from '../message/identity.ts'
import { asId } from '../message/records.ts'
import { memberOf, type Reply } from '../rest/reply.ts'
import { encodeStrictly } from '../rest/http.ts'
import { judgePull } from '../rest/verdicts.ts'

/** The most that the service hands out at once. */
export const pageLimit = 1000
/** The longest rows known have 128 KiB. */
const size = { maxBytes: 160 * 1024 * 1024, withinMs: 300_000 }

/** What is asked for: rows sent after a moment, from a cursor of the answer before on. */
export interface PageQuery {
  afterMs: number
  cursor: string | null
  limit?: number
}

/** What an answer holds. */
export interface Page {
  rows: RawRecord[]
  /** Where the next page begins; null where the service names none. */
  cursor: string | null
}

/** Asks for one page. Throws as `EasemobClient.get` does; an answer that is no page is `failed`. */
export async function pullPage(
  client: Pick<EasemobClient, 'get'>,
  { afterMs, cursor, limit = pageLimit }: PageQuery,
  signal: AbortSignal,
): Promise<Page | Failure> {
  const params = { ql: `select * where timestamp>${afterMs}`, limit: String(limit), cursor }
  const pairs = Object.entries(params).flatMap(([name, value]) =>
    value === null ? [] : `${name}=${encodeStrictly(value) ?? ''}`,
  )
  const { reply, verdict } = await client.get(
    `chatmessages?${pairs.join('&')}`,
    (answer) => judgePull(answer, { hasCursor: cursor !== null }),
    signal,
    size,
  )
  return verdict.verdict === 'ready' ? pageOf(reply) : failedBy(verdict)
}

/** Only a whole answer counts: half a list must not pass for a short one. */
function pageOf({ frame }: Reply): Page | Failure {
  const list = frame?.get('entities')
  const rows = list && elementsOf(list)
  if (!rows) return failed('the answer is damaged or holds no list of messages')
  const cursor = cursorOf(frame!)
  if (cursor === undefined) return failed('the answer has a cursor that cannot be sent')
  return { rows: rows.map(recordOf), cursor }
}

/** Null where there is none; undefined where it is of no use. */
function cursorOf(frame: NonNullable<Reply['frame']>): string | null | undefined {
  if (!frame.has('cursor')) return null
  const value = memberOf(frame, 'cursor')
  if (value === null || value === '') return null
  const text = asId(value)
  return text === null || encodeStrictly(text) === null ? undefined : text
}

/** The position of a row is its message id, so that every reading gives the same; else a digest of its bytes. */
function recordOf(payload: Buffer): RawRecord {
  const identity = identify(payload)
  return { ...identity, position: identity.messageId ?? `~${identity.fingerprint.toString('hex')}`, payload }
}
