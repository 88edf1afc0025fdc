import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { noBroker } from './errors.ts'

/** One process for all time: process ids are used again, the moment of birth is not. */
export interface ProcessIdentity {
  pid: number
  /** Opaque; equal only for the same process. */
  birth: string
}

/** The process that runs now under this id; null when there is none, or only its unreaped remains. */
export function identify(pid: number): ProcessIdentity | null {
  const birth = process.platform === 'linux' ? birthFromProc(pid) : birthFromPs(pid)
  return birth === null ? null : { pid, birth }
}

/** This process. */
export function currentProcess(): ProcessIdentity {
  const me = identify(process.pid)
  if (me === null) throw noBroker('platform_unsupported', 'The embedded Kafka broker needs Linux or macOS.')
  return me
}

/** Whether that very process runs, and not another one under its pid. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.birth === identity.birth
}

/** Whether both name one process. */
export function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.birth === other.birth
}

/** proc(5): the fields after the name in parentheses begin with the state; the start time, in ticks since boot, is the 20th. */
function birthFromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (isDead(fields[0])) return null
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    return `${boot}/${fields[19]}`
  } catch {
    // No such process.
    return null
  }
}

function birthFromPs(pid: number): string | null {
  try {
    const options = { encoding: 'utf8', env: { LC_ALL: 'C', TZ: 'UTC' }, stdio: 'pipe' } as const
    const [, state, birth] =
      /^\s*(\S+)\s+(.+?)\s*$/.exec(
        execFileSync('/bin/ps', ['-o', 'stat=,lstart=', '-p', `${pid}`], options),
      ) ?? []
    return birth === undefined || isDead(state) ? null : birth
  } catch {
    // ps exits with 1 when there is no such process.
    return null
  }
}

function isDead(state: string | undefined): boolean {
  return state === undefined || /^[ZXx]/.test(state)
}
