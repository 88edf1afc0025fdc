import { ChatfeedError } from '../errors.ts'
import { BrokenPromise } from './body.ts'
import { addressRefused } from './guard.ts'
import { failed, type Outcome, refused } from './outcome.ts'

/** Codes of what stands between us and the host. */
const troubles = new Map([
  ['object_store', 'archive'],
  ['throttled', 'throttled'],
])

/** Whether an error is our own judgement of a link or an answer, and says nothing against the host. */
export function isOwnWord(error: unknown): boolean {
  return error instanceof BrokenPromise || codeOf(error) === addressRefused
}

/** What an attachment comes to whose asking ended with an error; of an aborted `signal` that it took too long. */
export function outcomeOf(error: unknown, signal: AbortSignal): Outcome {
  if (error instanceof BrokenPromise) return error.outcome
  const code = codeOf(error)
  if (code === addressRefused) return refused('address_refused')
  if (signal.aborted) return failed('not_in_time')
  if (error instanceof ChatfeedError) return failed(troubles.get(code) ?? 'no_token')
  return failed(code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'unknown_host' : 'unreachable')
}

/** The code of an error, or of what caused it; `''` where none has one. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code === '' && error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : code
}
