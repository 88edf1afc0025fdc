import type { Refusal } from './client/client.ts'
import type { Query } from './lists/endpoints.ts'
import { ofChannel } from './set-aside.ts'

/** The public chat of the main room: what it answers, it answers for the channel. */
export function isPlain({ room, scope }: Query): boolean {
  return room === null && scope === 'public'
}

/**
 * Why a list cannot be read, with its name where it is not the ordinary one (such as `source=extend`), and the mend.
 * Where the list is closed or gone while its channel is there, that is the setting that asks for it.
 */
export function tellRefused(
  query: Query,
  { code, reason, mend }: Refusal,
): { reason: string; mend?: string } {
  const { status, scope, room } = query
  const name = [
    status !== 'pass' && `status=${status}`,
    scope !== 'public' && `source=${scope}`,
    room !== null && `roomId=${room}`,
  ].filter((part) => part !== false)
  const told = ofChannel.has(code) ? (mendOf(query) ?? mend) : mend
  return {
    reason: name.length > 0 ? `${name.join(', ')}: ${reason}` : reason,
    ...(told !== undefined && { mend: told }),
  }
}

function mendOf({ status, scope, room }: Query): string | undefined {
  if (room !== null) return `Take ${room} out of rooms, or correct it.`
  if (scope !== 'public') return `Take ${scope} out of scopes, or ask Polyv to open it for the account.`
  if (status !== 'pass') return `Take ${status} out of statuses, or ask Polyv to open it for the account.`
  return undefined
}
