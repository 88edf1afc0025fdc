import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseOrigin } from '../../../src/audit/origin.ts'

test('an origin is taken apart into unit and position, which is a number where lines are counted', () => {
  const origins = {
    '2026112310#7': ['2026112310', 7],
    '2477096/2026112310#5f0e?status=censor': ['2477096/2026112310', '5f0e?status=censor'],
    '2477096/2026112310#a#b': ['2477096/2026112310', 'a#b'],
    'import/files #1.gz#12': ['import/files #1.gz', 12],
    '2026112310#1287645890123456789': ['2026112310', '1287645890123456789'],
    '2026112310#007': ['2026112310', '007'],
    '2026112310#': ['2026112310', ''],
    'of a foreign writer': ['of a foreign writer', null],
    '': ['', null],
  }
  for (const [origin, [unit, position]] of Object.entries(origins))
    assert.deepEqual(parseOrigin(origin), { unit, position }, origin)
})
