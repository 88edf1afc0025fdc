import type { PolyvConfig } from '../config.ts'
import { endpoints, type Query } from './endpoints.ts'
import { hourMs } from '../hours.ts'

/** The lists that make up one hour of a channel, or of the account where the endpoint covers it. */
export function listsOf(
  { endpoint, statuses, scopes, rooms }: PolyvConfig,
  channel: string,
  startMs: number,
): Query[] {
  const window = { channel, fromMs: startMs, toMs: startMs + hourMs }
  if (endpoints[endpoint].covers === 'account')
    return [{ ...window, status: 'pass', scope: 'public', room: null }]
  // `censor` before `pass`: a message that is approved between the two calls is met twice, not never.
  return [...statuses]
    .sort()
    .flatMap((status) =>
      scopes.flatMap((scope) => [null, ...rooms].map((room) => ({ ...window, status, scope, room }))),
    )
}
