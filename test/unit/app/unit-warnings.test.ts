import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unitWarnings } from '../../../src/app/unit-warnings.ts'
import { warningText } from '../../../src/commands/status.ts'
import type { LedgerEntry } from '../../../src/model.ts'

const hour = 3_600_000
const now = 200 * hour
/** The hour of that number; it is kept 72 hours, so it has less than 18 hours left from 55 hours after its begin on. */
const unit = (
  at: number,
  state: LedgerEntry['state'] = 'pending',
  deadline: number | null = (at + 73) * hour,
) => ({
  unit: String(at),
  state,
  deadline,
})
const startOf = (name: string): number | null => (/^\d+$/.test(name) ? Number(name) * hour : null)
const warnings = (...units: ReturnType<typeof unit>[]) => unitWarnings(units, startOf, now)

test('unfinished hours with less than a quarter of the retention left are warned of', () => {
  assert.deepEqual(warnings(unit(145), unit(144, 'failed'), unit(143, 'not_yet')), [
    { kind: 'expiring', units: ['143', '144'], ranges: ['143 … 144 (2 hours)'], deadline: 216 * hour },
  ])
})

test('hours whose time has run out are a warning of their own', () => {
  assert.deepEqual(
    warnings(unit(126), unit(127), unit(140)).map(({ kind, units }) => [kind, units]),
    [
      ['overdue', ['126']],
      ['expiring', ['127', '140']],
    ],
  )
})

test('nothing is said of hours that were read or are lost, that never expire, or of imports', () => {
  assert.deepEqual(
    warnings(unit(140, 'published'), unit(140, 'empty'), unit(100, 'lost'), unit(140, 'failed', null), {
      ...unit(140, 'failed'),
      unit: 'import/140',
    }),
    [],
  )
})

test('a warning in words tells how many, how long and which', () => {
  const [expiring] = warnings(unit(143), unit(144))
  assert.equal(
    warningText(expiring!, now),
    '2 hours not yet read will be gone, the first in 16 h: 143 … 144 (2 hours)',
  )
  assert.match(
    warningText(warnings(unit(128))[0]!, now),
    /^1 hour not yet read will be gone, the first in 60 min: 128$/,
  )
  assert.equal(warningText(warnings(unit(100))[0]!, now), '1 hour not read in time, may be gone: 100')
})
