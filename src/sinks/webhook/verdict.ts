import { ChatfeedError } from '../../errors.ts'

/** What a receiver answered. */
export interface Answer {
  status: number
  /** Its own waiting time. */
  retryAfterMs: number | null
}

/**
 * What an answer means for the messages that were sent:
 * - `delivered`: the receiver has them.
 * - `unfit`: it will not take them together; sent apart, it may turn out which one it never takes.
 * - otherwise an error: nothing is wrong with the messages, they wait.
 */
export type Verdict = 'delivered' | 'unfit' | ChatfeedError

/** Only these say that something is wrong with what was sent: too large, not understood, not acceptable. */
const unfit = new Set([400, 413, 422])

/** What to do about answers that another attempt alone will hardly change; a wrong setting must lose nobody a message. */
const mends = new Map([
  [401, 'Check the secret, and what the receiver asks for.'],
  [403, 'Check the secret, and what the receiver asks for.'],
  [404, 'Check the path in the url of the sink.'],
  [405, 'Check the path in the url of the sink: it takes no POST.'],
  [410, 'The receiver is gone for good: give the sink another url, or remove it.'],
])

/** Judges an answer of `host`. */
export function judge({ status, retryAfterMs }: Answer, host: string): Verdict {
  if (status >= 200 && status < 300) return 'delivered'
  if (unfit.has(status)) return 'unfit'
  const isBusy = status === 408 || status === 425 || status === 429 || status >= 500
  const mend =
    mends.get(status) ??
    (status < 400 ? 'Redirects are not followed: write the final address into the url of the sink.' : null) ??
    (isBusy ? null : 'Check the url of the sink, and what the receiver asks for.')
  return new ChatfeedError('transient', `webhook_${status}`, `${host} answers ${status}.`, {
    ...(retryAfterMs !== null && { retryAfterMs }),
    ...(mend !== null && { mend }),
  })
}
