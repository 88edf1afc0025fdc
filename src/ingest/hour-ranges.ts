import { channelOf, hourMs } from '../providers/coverage.ts'

/** An hour of a channel: the name of its unit, and any moment that is an hour later for the next one, epoch ms. */
export interface NamedHour {
  name: string
  atMs: number
}

/** Names hours, those that follow one another as one: `2026111500 … 2026112009 (130 hours)`. */
export function nameRanges(hours: readonly NamedHour[]): string[] {
  const runs: NamedHour[][] = []
  const newest = new Map<string, NamedHour[]>()
  for (const hour of [...hours].sort((a, b) => a.atMs - b.atMs)) {
    const channel = channelOf(hour.name)
    const run = newest.get(channel)
    if (run && hour.atMs - (run.at(-1)?.atMs ?? 0) === hourMs) run.push(hour)
    else {
      const begun = [hour]
      runs.push(begun)
      newest.set(channel, begun)
    }
  }
  return runs.map((run) => {
    const [first, last] = [run[0]?.name ?? '', run.at(-1)?.name ?? '']
    return run.length === 1 ? first : `${first} … ${last} (${run.length} hours)`
  })
}
