import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planBackfill } from '../../../../src/ingest/backfill/plan.ts'
import type { LedgerEntry } from '../../../../src/model.ts'
import type { Unit } from '../../../../src/providers/provider.ts'
import { ledgerEntry } from '../../samples.ts'
import { hour } from '../readings.ts'

const unit = (name: string, startHour: number, deadlineHour: number | null): Unit => ({
  name,
  opensAt: startHour * hour,
  closesAt: (startHour + 2) * hour,
  pollEveryMs: null,
  lookAgainMs: [],
  deadline: deadlineHour === null ? null : deadlineHour * hour,
})

const entry = (name: string, state: LedgerEntry['state']): [string, LedgerEntry] => [
  name,
  { ...ledgerEntry, unit: name, state },
]

/** The names of each part of the plan, at hour 100. */
function plan(units: Unit[], ...entries: [string, LedgerEntry][]) {
  const { due, read, gone, open } = planBackfill(units, new Map(entries), 100 * hour)
  const names = (of: Unit[]) => of.map(({ name }) => name)
  return { due: names(due), read: names(read), gone: names(gone), open: names(open) }
}

test('hours are due unless they were read, are gone or not over yet', () => {
  assert.deepEqual(
    plan(
      [
        unit('gone', 10, 99),
        unit('last moment', 11, 100),
        unit('published', 20, 110),
        unit('empty', 21, 111),
        unit('due', 22, 112),
        unit('just over', 98, 170),
        unit('open', 99, 171),
      ],
      entry('published', 'published'),
      entry('empty', 'empty'),
    ),
    {
      due: ['last moment', 'due', 'just over'],
      read: ['published', 'empty'],
      gone: ['gone'],
      open: ['open'],
    },
  )
})

test('what is known but was not read whole is tried, as long as the provider has it', () => {
  const states = ['pending', 'not_yet', 'lost', 'failed'] as const
  const units = states.flatMap((state) => [unit(state, 50, 120), unit(`late ${state}`, 20, 90)])
  const entries = units.map(({ name }) =>
    entry(
      name,
      states.find((state) => name.endsWith(state))!,
    ),
  )
  const { due, gone } = plan(units, ...entries)
  assert.deepEqual(due, [...states])
  assert.deepEqual(
    gone,
    states.map((state) => `late ${state}`),
  )
})

test('an hour that was read is not called gone, however old it is', () => {
  assert.deepEqual(plan([unit('a', 10, 82)], entry('a', 'published')).read, ['a'])
})

test('what the provider forgets first is read first; where it never forgets, the oldest', () => {
  assert.deepEqual(plan([unit('b', 41, 113), unit('a', 40, 112)]).due, ['a', 'b'])
  assert.deepEqual(plan([unit('2/b', 41, null), unit('1/b', 41, null), unit('1/a', 40, null)]).due, [
    '1/a',
    '2/b',
    '1/b',
  ])
})
