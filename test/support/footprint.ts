import { readdirSync, readFileSync } from 'node:fs'

/** What a process holds now. */
export interface Footprint {
  rssMb: number
  handles: number
}

/** Undefined when the process has ended, or this system has no /proc. */
export function footprintOf(pid: number | undefined): Footprint | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const [, rss] = /^VmRSS:\s+(\d+) kB/m.exec(status) ?? []
    if (rss === undefined) return undefined
    return { rssMb: Math.round(Number(rss) / 1_024), handles: readdirSync(`/proc/${pid}/fd`).length }
  } catch {
    return undefined
  }
}

/**
 * Says what has grown far beyond what it was: what faults leave behind grows with every one of them, so a margin may
 * be wide where there were many. `times` is how many times the handles a process may come to hold by its work alone.
 */
export function swollen(
  before: Footprint | undefined,
  after: readonly (Footprint | undefined)[],
  times: number,
): string[] {
  return after.flatMap((now, index) => {
    if (!before || !now) return []
    const { rssMb, handles } = before
    return [
      ...(now.rssMb > 2 * rssMb + 100 ? [`process ${index} holds ${now.rssMb} MB, ${rssMb} before`] : []),
      ...(now.handles > times * handles + 30
        ? [`process ${index} holds ${now.handles} handles, ${handles} before`]
        : []),
    ]
  })
}
