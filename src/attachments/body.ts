import type { Dispatcher } from 'undici'
import { sizeOf, typeOf } from './judge.ts'
import { failed, type Outcome, refused } from './outcome.ts'
import { isPageStart, isPageType, type Promised } from './promise.ts'

/** An answer that is not the file that was promised; `outcome` says so of the attachment. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
  readonly outcome: Outcome

  constructor(outcome: Outcome) {
    super(outcome.reason ?? '')
    this.outcome = outcome
  }
}

/** What a body is held against. */
export interface BodyLimits {
  promised: Promised
  maxBytes: number
  /** By the message; null where it does not tell. */
  promisedBytes: number | null
}

/**
 * The body of an answer to its end, and nothing but the file. Throws BrokenPromise for a page, one that is packed,
 * empty, cut short or larger than allowed, and whatever the connection throws.
 */
export async function* bodyOf(
  response: Dispatcher.ResponseData,
  { promised, maxBytes, promisedBytes }: BodyLimits,
): AsyncGenerator<Uint8Array> {
  const { headers, body } = response
  // Without this an answer that is given up before its end would be an error that nobody hears.
  body.on('error', () => undefined)
  try {
    const told = sizeOf(response)
    if (told !== null && told > maxBytes) throw new BrokenPromise(refused('too_large'))
    if (isPageType(typeOf(response), promised)) throw new BrokenPromise(failed('page'))
    if (!/^(?:identity)?$/i.test(String(headers['content-encoding'] ?? '')))
      throw new BrokenPromise(failed('encoded'))
    let size = 0
    for await (const part of body as AsyncIterable<Buffer>) {
      if (size === 0 && isPageStart(part, promised)) throw new BrokenPromise(failed('page'))
      size += part.length
      if (size > maxBytes) throw new BrokenPromise(refused('too_large'))
      yield part
    }
    // An answer without a length ends where the connection does, be it whole or not.
    const isOpenEnded = told === null && headers['transfer-encoding'] === undefined
    const isShort = isOpenEnded && promisedBytes !== null && size < promisedBytes
    if (size === 0 || isShort) throw new BrokenPromise(failed(size === 0 ? 'empty' : 'cut_short'))
  } finally {
    body.destroy()
  }
}
