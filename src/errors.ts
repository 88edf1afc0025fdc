/**
 * What to do about an error, decided where it is understood:
 * - `transient`: the same call can succeed later; `retryAfterMs` says when, if the other side told.
 * - `message`: this one record cannot be understood; it goes to `dead`, its neighbours go on.
 * - `fatal`: trying again cannot help; the source or the process stops with the reason.
 */
export type Remedy = 'transient' | 'message' | 'fatal'

/** What an error carries beside its message. */
export interface ErrorDetails {
  cause?: unknown
  /** The other side's own waiting time. */
  retryAfterMs?: number
  /** One sentence that tells the user what to do. */
  mend?: string
}

/**
 * The only error class that chatfeed throws on purpose; anything else is a bug. `message` and `mend` are
 * written for the user and hold no secret, token, signed link or message text. `code` is a stable word for
 * metrics, `dead` headers and tests.
 */
export class ChatfeedError extends Error {
  override readonly name = 'ChatfeedError'
  readonly code: string
  readonly remedy: Remedy
  readonly retryAfterMs: number | undefined
  readonly mend: string | undefined

  constructor(remedy: Remedy, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.remedy = remedy
    this.retryAfterMs = details.retryAfterMs
    this.mend = details.mend
  }
}

/** True for an error that a later attempt can outlive. */
export function isTransient(error: unknown): error is ChatfeedError {
  return error instanceof ChatfeedError && error.remedy === 'transient'
}

/** One line for the user: what happened and the mend. Errors of unknown make show their own message. */
export function explain(error: unknown): string {
  if (error instanceof ChatfeedError) return error.mend ? `${error.message} ${error.mend}` : error.message
  return error instanceof Error ? error.message : String(error)
}
