/** The retired pull interface of the sandbox, as the last documents describe it (facts: Easemob docs SEED0). */
import { createHash, createHmac } from 'node:crypto'
import { hourMs, hourStart } from '../hours.ts'
import { type Json, readRecord, unlessEmpty } from '../message/records.ts'

const defaultLimit = '10'
const mostRows = 1000
const proofBytes = 20

/** Where the rows come from. */
export interface PullOptions {
  seed: number
  zoneMs: number
  nowMs: number
  retentionMs: number
  /** The lines of the hour that begins at `startMs`. */
  linesOf: (startMs: number) => string[]
}

/** What is answered: rows, and a cursor when there are more; or what is wrong with the query. */
export type PullAnswer = { rows: Json[]; cursor: string | null } | { error: string }

/** Answers one query. Only `select * where timestamp>N` is a query; the limit is 10 unless given, 1000 at most. */
export function answerPull(
  { ql, limit = defaultLimit, cursor }: { ql?: string; limit?: string; cursor?: string },
  options: PullOptions,
): PullAnswer {
  const [, after] = /^select \* where timestamp>(\d{1,15})$/.exec(ql ?? '') ?? []
  if (after === undefined) return { error: 'The query cannot be parsed' }
  const count = /^\d{1,4}$/.test(limit) ? Number(limit) : 0
  if (count < 1 || count > mostRows) return { error: `limit must be between 1 and ${mostRows}` }
  const begin = cursor === undefined ? 0 : readCursor(cursor, after, options.seed)
  if (begin === null) return { error: 'The cursor does not belong to this query' }
  const rows = rowsAfter(Number(after), begin + count + 1, options)
  const isMore = rows.length > begin + count
  return {
    rows: rows.slice(begin, begin + count),
    cursor: isMore ? writeCursor(after, begin + count, options.seed) : null,
  }
}

/** The first rows sent after a moment, in the order of sending. */
function rowsAfter(afterMs: number, most: number, options: PullOptions): Json[] {
  const { zoneMs, nowMs, retentionMs, linesOf } = options
  const fromMs = Math.max(afterMs + 1, nowMs - retentionMs)
  const rows: Json[] = []
  for (let startMs = hourStart(fromMs, zoneMs); startMs <= nowMs && rows.length < most; startMs += hourMs) {
    const ofHour = linesOf(startMs).map((line) => rowOf(readRecord(Buffer.from(line))!))
    const visible = ofHour.filter(
      ({ timestamp }) => Number(timestamp) >= fromMs && Number(timestamp) <= nowMs,
    )
    rows.push(...visible.sort((a, b) => Number(a.timestamp) - Number(b.timestamp)))
  }
  return rows
}

/** A line of the file as this interface writes it: no direction, the people outside only, an empty ext left out. */
function rowOf(line: Json): Json {
  const record = without(line, 'direction')
  const content = without(line.payload as Json, 'from', 'to')
  const payload = unlessEmpty(content.ext) === undefined ? without(content, 'ext') : content
  const atMs = Number(record.timestamp)
  const digits = createHash('sha1').update(String(record.msg_id)).digest('hex')
  const uuid = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5')
  return { uuid, type: 'chatmessage', created: atMs + 237, modified: atMs + 237, ...record, payload }
}

function without(object: Json, ...keys: string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}

/** Always with `+`, `/` and `=` in it, which a client that does not escape them loses. */
function writeCursor(after: string, begin: number, seed: number): string {
  for (let attempt = 0; ; attempt++) {
    const text = `${after} ${begin} ${attempt}`
    const cursor = Buffer.concat([proofOf(text, seed), Buffer.from(text)]).toString('base64')
    if (cursor.includes('+') && cursor.includes('/') && cursor.endsWith('=')) return cursor
  }
}

/** How many rows were given already; null for a cursor that this query never got. */
function readCursor(cursor: string, after: string, seed: number): number | null {
  const bytes = Buffer.from(cursor, 'base64')
  const text = bytes.toString('latin1', proofBytes)
  const [ofQuery, begin] = text.split(' ')
  const isOurs =
    bytes.toString('base64') === cursor && bytes.subarray(0, proofBytes).equals(proofOf(text, seed))
  return isOurs && ofQuery === after ? Number(begin) : null
}

function proofOf(text: string, seed: number): Buffer {
  return createHmac('sha1', `cursor ${seed}`).update(text).digest()
}
