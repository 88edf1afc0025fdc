import { Agent, request } from 'undici'
import { decode, tooLarge, undecodable } from '../../http/encoding.ts'
import { dateOf, originOf, retryAfterOf } from '../../../http-headers.ts'
import type { Verdict } from './complaints.ts'
import type { Answer } from './verdicts.ts'

const silenceMs = 30_000
const wholeAnswerMs = 120_000
/** A page of 1000 messages is a few megabytes. */
const maxAnswerBytes = 64 * 1024 * 1024

/** An answer and the service's clock, epoch ms. */
export interface Exchange {
  answer: Answer
  dateMs: number | null
}

/** Carries requests to the service and whole answers back. Redirects are not followed: `request` never does. */
export class Transport {
  readonly #agent = new Agent({ connections: 8, connectTimeout: 10_000 })

  /** Sends `query` in the address, or with POST as a form in the body. Throws the errors of the network and of zlib. */
  async exchange(
    method: 'GET' | 'POST',
    address: string,
    query: string,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<Exchange> {
    const isForm = method === 'POST'
    const { statusCode, headers, body } = await request(isForm ? address : `${address}?${query}`, {
      method,
      headers: {
        'accept-encoding': 'identity',
        ...(isForm && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      body: isForm ? query : null,
      dispatcher: this.#agent,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      signal,
    })
    const encodings = [headers['content-encoding'] ?? []].flat().join(',')
    const dateMs = dateOf(headers.date)
    const answer = {
      httpStatus: statusCode,
      body: await decode(await wholeBody(body), encodings, maxAnswerBytes),
      // At once is no sensible answer to calls that were too many.
      retryAfterMs: retryAfterOf(headers['retry-after'], dateMs ?? nowMs) || null,
      redirectedTo: originOf(headers.location, address),
    }
    return { answer, dateMs }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

async function wholeBody(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const startedMs = performance.now()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) throw Object.assign(new Error('The answer is too large.'), { code: tooLarge })
    if (performance.now() - startedMs > wholeAnswerMs) throw new DOMException('', 'TimeoutError')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** An attempt without an answer. The cause is named by its code only: messages of the network layer can hold the signed address. */
export function unreachable(error: unknown): Verdict {
  const { code, name } = error as { code?: unknown; name?: unknown }
  const cause = String([code, name].find((word) => typeof word === 'string') ?? 'network')
  if (cause === tooLarge) {
    return {
      kind: 'refused',
      code: 'answer_too_large',
      reason: `Polyv's answer is larger than ${maxAnswerBytes} bytes.`,
      mend: 'Lower pageSize.',
    }
  }
  if (cause === undecodable) {
    return {
      kind: 'transient',
      code: 'answer_damaged',
      reason: "The encoding of Polyv's answer cannot be undone: it is damaged or of an unknown sort.",
      mend: 'Check proxies on the way.',
    }
  }
  return {
    kind: 'transient',
    code: 'unreachable',
    reason: `Polyv cannot be reached (${cause}).`,
    mend: 'Check baseUrl, the network and proxies of this machine.',
  }
}
