import { unitDeadlines } from '../metrics.ts'
import type { LedgerEntry } from '../model.ts'
import type { Unit } from '../providers/provider.ts'

const finished = new Set<LedgerEntry['state']>(['published', 'empty', 'lost'])

/** Tells the gauge `chatfeed_unit_expiry_seconds` which unit of a source is gone first, tried before or not. */
export function showExpiry(
  source: string,
  units: readonly Pick<Unit, 'name' | 'deadline'>[],
  entries: ReadonlyMap<string, LedgerEntry>,
): void {
  let first = Infinity
  for (const { name, deadline } of units)
    if (deadline !== null && !finished.has(entries.get(name)?.state ?? 'pending'))
      first = Math.min(first, deadline)
  if (first < Infinity) unitDeadlines.set(source, first)
  else unitDeadlines.delete(source)
}

/** The gauge no longer speaks of a source: another process has it now. */
export function forgetExpiry(source: string): void {
  unitDeadlines.delete(source)
}
