import { unitDeadlines } from '../metrics.ts'
import type { LedgerEntry } from '../model.ts'
import type { Unit } from '../providers/provider.ts'

const finished = new Set<LedgerEntry['state']>(['published', 'empty', 'lost'])

/** The sources shown under each signal. */
const shown = new WeakMap<AbortSignal, Set<string>>()

/**
 * Tells the gauge `chatfeed_unit_expiry_seconds` which unit of a source is gone first, tried before or not, until
 * `signal` aborts: then another process has the source.
 */
export function showExpiry(
  source: string,
  units: readonly Pick<Unit, 'name' | 'deadline'>[],
  entries: ReadonlyMap<string, LedgerEntry>,
  signal: AbortSignal,
): void {
  if (signal.aborted) return
  sourcesUnder(signal).add(source)
  let first = Infinity
  for (const { name, deadline } of units)
    if (deadline !== null && !finished.has(entries.get(name)?.state ?? 'pending'))
      first = Math.min(first, deadline)
  if (first < Infinity) unitDeadlines.set(source, first)
  else unitDeadlines.delete(source)
}

/** One listener a signal, however many sources share it. */
function sourcesUnder(signal: AbortSignal): Set<string> {
  let sources = shown.get(signal)
  if (!sources) {
    const begun = (sources = new Set())
    shown.set(signal, begun)
    const forget = () => {
      for (const source of begun) unitDeadlines.delete(source)
    }
    signal.addEventListener('abort', forget, { once: true })
  }
  return sources
}
