import { withRuntime } from './open.ts'
import { readStatus, type Status } from '../app/status.ts'
import type { UnitWarning } from '../app/unit-warnings.ts'
import { hourMs } from '../providers/coverage.ts'
import { type CommonOptions, exitStatus } from './command.ts'

/** Options of `chatfeed status`. */
export interface StatusOptions extends CommonOptions {
  json?: boolean
}

/** `chatfeed status`: the ledger, the lags, the sinks and the count of dead letters. */
export async function status(options: StatusOptions): Promise<number> {
  const found = await withRuntime(options, readStatus)
  process.stdout.write(options.json ? `${JSON.stringify(found)}\n` : toText(found))
  return exitStatus.done
}

function toText({ sources, groups, sinks, dead }: Status): string {
  const lines: string[] = []
  for (const { name, provider, units, warnings, unread } of sources) {
    lines.push(
      `${name} (${provider})`,
      ...warnings.map((warning) => `  ! ${warningText(warning, Date.now())}`),
    )
    for (const { unit, state, lines: count, attempts, deadline, nextLookAt, reason } of units) {
      const details = [
        `${count} lines`,
        attempts > 1 ? `${attempts} attempts` : '',
        nextLookAt === null ? '' : `next look ${moment(nextLookAt)}`,
        deadline === null || state === 'published' ? '' : `gone ${moment(deadline)}`,
        reason ?? '',
      ]
      lines.push(`  ${unit.padEnd(26)} ${state.padEnd(10)} ${details.filter(Boolean).join(', ')}`)
    }
    for (const { user, count, observedAt, reason } of unread)
      lines.push(`  unread ${user.padEnd(19)} ${count ?? reason ?? 'unknown'}, at ${moment(observedAt)}`)
  }
  lines.push('', ...groups.map(({ group, topic, lag }) => `${group} on ${topic}: ${lag} behind`))
  lines.push(
    ...sinks.map(
      ({ name, type, rows, lag }) => `sink ${name} (${type}): ${rows ?? 'unknown'} rows, ${lag} behind`,
    ),
  )
  return [...lines, `dead letters: ${dead.count}`, ''].join('\n')
}

/** How many hours, how long there is left, and which. */
export function warningText({ kind, units, ranges, deadline }: UnitWarning, nowMs: number): string {
  const hours = units.length === 1 ? '1 hour' : `${units.length} hours`
  const which = ranges.join(', ')
  if (kind === 'overdue') return `${hours} not read in time, may be gone: ${which}`
  const leftMs = deadline - nowMs
  const left = leftMs < 2 * hourMs ? `${Math.ceil(leftMs / 60_000)} min` : `${Math.floor(leftMs / hourMs)} h`
  return `${hours} not yet read will be gone, the first in ${left}: ${which}`
}

/** In the zone of this machine. */
function moment(atMs: number): string {
  return new Date(atMs).toLocaleString('sv-SE').slice(0, 16)
}
