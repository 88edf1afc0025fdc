import { ChatfeedError, type ErrorDetails, type Remedy } from './errors.ts'

/** An error in plain values, as it crosses from one thread to another. */
export interface Thrown {
  name: string
  message: string
  stack: string | undefined
  cause: Thrown | undefined
  /** What is to be done about a ChatfeedError; undefined for any other. */
  verdict: { remedy: Remedy; code: string; details: ErrorDetails } | undefined
}

/** What was thrown, with its causes. */
export function toThrown(error: unknown): Thrown {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, cause: undefined, verdict: undefined }
  const { name, message, stack } = error
  const cause = error.cause === undefined ? undefined : toThrown(error.cause)
  return {
    name,
    message,
    stack,
    cause,
    verdict: error instanceof ChatfeedError ? verdictOf(error) : undefined,
  }
}

function verdictOf({ remedy, code, mend, retryAfterMs }: ChatfeedError): Thrown['verdict'] {
  const details = {
    ...(mend === undefined ? {} : { mend }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
  return { remedy, code, details }
}

/** The error again, with the stack of where it was thrown: a ChatfeedError where it was one, a plain Error otherwise. */
export function fromThrown({ name, message, stack, cause, verdict }: Thrown): Error {
  const carried = cause && { cause: fromThrown(cause) }
  const error = verdict
    ? new ChatfeedError(verdict.remedy, verdict.code, message, { ...verdict.details, ...carried })
    : Object.assign(new Error(message, carried), { name })
  if (stack !== undefined) error.stack = stack
  return error
}
