import type { LedgerEntry } from '../../model.ts'
import type { Unit } from '../../providers/provider.ts'

/** What is to become of the hours of a range. */
export interface BackfillPlan {
  /** To be read, those that the provider forgets first before the others. */
  due: Unit[]
  /** Read before, as the ledger says. */
  read: Unit[]
  /** The provider no longer has them. */
  gone: Unit[]
  /** Not over yet: the running job's. */
  open: Unit[]
}

/** Sorts the hours of a range by what the ledger and the clock say. */
export function planBackfill(
  hours: readonly Unit[],
  entries: ReadonlyMap<string, LedgerEntry>,
  nowMs: number,
): BackfillPlan {
  const plan: BackfillPlan = { due: [], read: [], gone: [], open: [] }
  for (const unit of hours) {
    if (isRead(entries.get(unit.name))) plan.read.push(unit)
    else if (isGone(unit, nowMs)) plan.gone.push(unit)
    else if (nowMs < unit.closesAt) plan.open.push(unit)
    else plan.due.push(unit)
  }
  plan.due.sort((a, b) => (a.deadline ?? 0) - (b.deadline ?? 0) || a.opensAt - b.opensAt)
  return plan
}

/** Whether an hour has been read whole, by whomever. */
export function isRead(entry: LedgerEntry | undefined): boolean {
  return entry?.state === 'published' || entry?.state === 'empty'
}

/** Whether the provider need no longer have an hour. */
export function isGone({ deadline }: Unit, nowMs: number): boolean {
  return deadline !== null && nowMs > deadline
}
