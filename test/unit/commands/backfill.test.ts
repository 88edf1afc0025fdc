import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stateOf } from '../../../src/commands/backfill-progress.ts'
import { runCommandLines, temporaryFolder } from '../../support/chatfeed.ts'

test('a range that cannot be meant is a wrong command line, told in a line', async (t) => {
  const cases: [words: string[], told: RegExp][] = [
    [[], /--from <TIME>' not specified/],
    [['--from', '5h'], /--to <TIME>' not specified/],
    [['--from', '5h', '--to', '10h'], /--from must be before --to\./],
    [['--from', '5h', '--to', 'yesterday'], /yesterday is no time\./],
    [['--from', '2126-01-01', '--to', '2126-01-02'], /The range lies in the future\./],
  ]
  const lines = cases.map(([words]) => ['backfill', '--source', 'support', ...words])
  const results = await runCommandLines(
    t,
    [...lines, ['backfill', '--from', '2h', '--to', '1h']],
    temporaryFolder(t),
  )
  for (const [at, [, told]] of cases.entries()) assert.match(results[at]?.stderr ?? '', told)
  assert.match(results.at(-1)?.stderr ?? '', /--source <NAME>' not specified/)
  for (const { status } of results) assert.equal(status, 2)
})

const minute = 60_000
const progress = { done: 30, total: 50, records: 12_345, rest: null }

test('the time left is reckoned from the hours read in this run, not from those read before', () => {
  assert.equal(stateOf(progress, 20, 10 * minute, 0), '12,345 records  about 20 min left')
  assert.equal(stateOf(progress, 28, minute, 0), '12,345 records  about 10 min left')
  assert.equal(stateOf({ ...progress, done: 20 }, 20, minute, 0), '12,345 records')
  assert.equal(stateOf({ ...progress, done: 50 }, 20, minute, 0), '12,345 records')
})

test('a rest that the provider wants is shown with its reason while it lasts', () => {
  const resting = { ...progress, rest: { reason: 'Too many calls.', untilMs: 42_000 } }
  assert.equal(stateOf(resting, 20, minute, 0), '12,345 records  waits 42 s: Too many calls.')
  assert.match(stateOf(resting, 20, minute, 50_000), /left$/)
})
