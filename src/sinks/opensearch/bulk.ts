import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError } from '../../errors.ts'
import type { SearchClient } from './client.ts'
import { busy, documentTooLarge, foreignAnswer, itemFailure, tooLarge } from './failure.ts'

/** What is done with one document. */
export interface Operation {
  id: string
  revision: number
  /** Its lines of the bulk request. */
  lines: string
  /** Of the lines in UTF-8. */
  bytes: number
}

/** An operation that the cluster did not carry out, and why. */
export interface Undone<Op extends Operation> {
  operation: Op
  error: ChatfeedError
}

/** Bodies beyond it gain no speed, and hold up memory on both sides; servers take 100 MB unless told otherwise. */
const mostBytes = 5 << 20
/** How long busy shards are asked again before the whole set comes again; below the time that chatfeed has to end. */
const patienceMs = 5_000
/** Longer than a shard that is moving takes; the connection waits longer (client.ts). */
const shardTimeout = '10s'
const answerFields = 'errors,items.*.status,items.*.error.type,items.*.error.reason'
const firstRestMs = 50
const longestRestMs = 1_000

/**
 * Carries out all operations, on the index behind `alias`, or with null where each says itself: those that a shard had no time for again, after a rest. One that was carried out before,
 * or that a newer revision has overtaken, counts as done. Answers those that never will be. Throws ChatfeedError
 * `transient` when the cluster does not take the rest now: some may be done then, and may be sent again.
 */
export async function sendBulk<Op extends Operation>(
  client: SearchClient,
  alias: string | null,
  operations: readonly Op[],
  retryForMs = patienceMs,
): Promise<Undone<Op>[]> {
  const refused: Undone<Op>[] = []
  // An alias that is gone is not made anew by a write: that index would lack what was stored before.
  const target = alias === null ? '/_bulk?' : `/${alias}/_bulk?require_alias=true&`
  const path = `${target}timeout=${shardTimeout}&filter_path=${answerFields}`
  const deadline = Date.now() + retryForMs
  let waiting = operations
  for (let restMs = firstRestMs; ; restMs = Math.min(restMs * 2, longestRestMs)) {
    const undone: Undone<Op>[] = []
    for (const chunk of chunksOf(waiting)) undone.push(...(await sendChunk(client, path, chunk)))
    refused.push(...undone.filter(({ error }) => error.remedy === 'message'))
    const held = undone.filter(({ error }) => error.remedy !== 'message')
    const [worst] = held.toSorted((a, b) => Number(a.error.code === busy) - Number(b.error.code === busy))
    if (!worst) return refused
    if (worst.error.code !== busy || Date.now() > deadline) throw worst.error
    await delay(restMs * (0.5 + Math.random()))
    waiting = held.map(({ operation }) => operation)
  }
}

/** In pieces that fit into a body; a larger operation has one of its own. */
function* chunksOf<Op extends Operation>(operations: readonly Op[]): Generator<readonly Op[]> {
  let from = 0
  let bytes = 0
  for (const [at, operation] of operations.entries()) {
    if (bytes + operation.bytes > mostBytes && at > from) {
      yield operations.slice(from, at)
      from = at
      bytes = 0
    }
    bytes += operation.bytes
  }
  if (from < operations.length) yield operations.slice(from)
}

interface BulkAnswer {
  errors: boolean
  items: Record<string, { status: number; error?: { type?: string; reason?: string } }>[]
}

/** Sends one body; in halves where it is too large. Answers what was not done. */
async function sendChunk<Op extends Operation>(
  client: SearchClient,
  path: string,
  chunk: readonly Op[],
): Promise<Undone<Op>[]> {
  const body = chunk.map(({ lines }) => lines).join('')
  try {
    const { body: answer } = await client.call<BulkAnswer>({ method: 'POST', path, body })
    if (typeof answer.errors !== 'boolean') throw foreignAnswer(client.url)
    return answer.errors ? failuresIn(client.url, chunk, answer) : []
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    if (error.code === busy) return chunk.map((operation) => ({ operation, error }))
    if (error.code !== tooLarge) throw error
  }
  const [only] = chunk
  if (only && chunk.length === 1) return [{ operation: only, error: documentTooLarge(only.bytes) }]
  const half = chunk.length >> 1
  return [
    ...(await sendChunk(client, path, chunk.slice(0, half))),
    ...(await sendChunk(client, path, chunk.slice(half))),
  ]
}

function failuresIn<Op extends Operation>(
  url: string,
  chunk: readonly Op[],
  { items }: BulkAnswer,
): Undone<Op>[] {
  return chunk.flatMap((operation, at) => {
    const { status, error } = Object.values(items[at] ?? {})[0] ?? { status: 500 }
    // 404 without an error: what was to be deleted is not there.
    if (status < 300 || (status === 404 && !error)) return []
    const { type = '', reason = '' } = error ?? {}
    if (type === 'version_conflict_engine_exception') return []
    return [{ operation, error: itemFailure(url, { status, type, reason }) }]
  })
}
