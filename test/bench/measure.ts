import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { watchMemory } from './processes.ts'

/** What a command line took, its children included. */
export interface Measurement {
  wallMs: number
  /** User and system time. */
  cpuMs: number
  /** The highest resident memory of all its processes together, MB; 0 where there is no /proc. */
  peakRssMb: number
}

/** A command and where it runs. */
export interface Command {
  words: readonly string[]
  cwd?: string
  env?: Record<string, string>
}

/** The shell prints its own time and that of its children, to the millisecond, when the command has ended. */
const shell = '"$@"; status=$?; times >&3; exit $status'

/** Runs a command to its end. Throws, with its last words, where it fails or takes longer than `limitMs`. */
export async function measure({ words, cwd, env }: Command, limitMs = 900_000): Promise<Measurement> {
  const startedAt = performance.now()
  const child = spawn('bash', ['-c', shell, 'bash', ...words], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const killAll = () => {
    killGroup(child)
  }
  process.once('exit', killAll)
  const late = setTimeout(killAll, limitMs)
  const peakRss = watchMemory(child.pid!)
  const [stdout, stderr, times] = await Promise.all(
    [child.stdout!, child.stderr!, child.stdio[3] as Readable].map((stream) => text(stream)),
  )
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const wallMs = performance.now() - startedAt
  clearTimeout(late)
  process.off('exit', killAll)
  const peakRssMb = peakRss()
  if (child.exitCode !== 0) {
    killGroup(child)
    throw new Error(`${words.join(' ').slice(0, 200)} ended with ${child.exitCode ?? child.signalCode}:
${stderr!.slice(-2_000)}${stdout!.slice(-500)}`)
  }
  return { wallMs, cpuMs: cpuOf(times!), peakRssMb }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** Sums up what `times` prints: user and system time of the shell, then of its children, as 1m2.345s. */
function cpuOf(times: string): number {
  let ms = 0
  for (const [, minutes, seconds] of times.matchAll(/(\d+)m([\d.]+)s/g))
    ms += (Number(minutes) * 60 + Number(seconds)) * 1_000
  return ms
}
