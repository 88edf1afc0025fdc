import type { Accounts } from './accounts.ts'
import type { Found } from './find-problems.ts'

/** So long after it is due a unit has long been read by a job at work. */
const overdueMs = 3_600_000

/** What a person should know beside the problems, in sentences. */
export function notesOf(
  accounts: Accounts,
  { uncompared, foreign }: Pick<Found, 'uncompared' | 'foreign'>,
  nowMs: number,
): string[] {
  let overdue = 0
  for (const [, { dueAt }] of accounts.audited()) if (dueAt !== null && dueAt < nowMs - overdueMs) overdue++
  const notes: string[] = []
  if (overdue > 0)
    notes.push(
      `${units(overdue)} due to be read for more than an hour: see chatfeed status, or run chatfeed up.`,
    )
  if (uncompared > 0)
    notes.push(`${units(uncompared)} older than raw topics keep records: their lines are not compared.`)
  if (foreign > 0)
    notes.push(
      `Topic messages holds ${foreign} foreign ${foreign === 1 ? 'record' : 'records'}: sinks stop there.`,
    )
  return notes
}

const units = (count: number): string => (count === 1 ? '1 unit is' : `${count} units are`)
