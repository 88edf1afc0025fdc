import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameRanges } from '../../../src/ingest/hour-ranges.ts'
import { hour } from './readings.ts'

const hours = (...names: string[]) =>
  names.map((name) => ({ name, atMs: Number(name.replace(/^.*\//, '')) * hour }))

test('hours that follow one another are named by the first and the last, with their number', () => {
  assert.deepEqual(nameRanges(hours('10', '11', '12', '14', '17', '16')), [
    '10 … 12 (3 hours)',
    '14',
    '16 … 17 (2 hours)',
  ])
})

test('each channel has ranges of its own', () => {
  assert.deepEqual(nameRanges(hours('1/10', '2/10', '1/11', '2/12')), [
    '1/10 … 1/11 (2 hours)',
    '2/10',
    '2/12',
  ])
})

test('no hours, no names', () => {
  assert.deepEqual(nameRanges([]), [])
})
