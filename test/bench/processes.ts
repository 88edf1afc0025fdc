import { readFileSync } from 'node:fs'

const lookEveryMs = 100
const msPerTick = 10

/** Looks at the descendants of a process until the peak of their resident memory together is asked for, MB. */
export function watchMemory(root: number): () => number {
  const peaks = new Map<number, number>()
  let highestKb = 0
  const look = () => {
    let sum = 0
    for (const pid of descendants(root)) {
      // What the process itself remembers as its peak, so that nothing is missed between two looks.
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, peakKbOf(pid)))
      sum += peaks.get(pid)!
    }
    highestKb = Math.max(highestKb, sum)
  }
  const timer = setInterval(look, lookEveryMs)
  return () => {
    clearInterval(timer)
    return highestKb / 1_024
  }
}

/** The highest resident memory that a running process has had, kB; 0 where there is no /proc. */
export function peakKbOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(contents(`/proc/${pid}/status`))?.[1] ?? 0)
}

/** User and system time that a running process has used until now, ms; 0 where there is no /proc. */
export function cpuMsOf(pid: number): number {
  const stat = contents(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * msPerTick
}

function descendants(pid: number): number[] {
  const children = contents(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)
  return children.flatMap((child) => [Number(child), ...descendants(Number(child))])
}

/** Empty for a process that has ended, and where there is no /proc. */
function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
