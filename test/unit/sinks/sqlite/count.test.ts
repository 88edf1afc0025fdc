import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { storedRows } from '../../../../src/sinks/index.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { messageSet } from '../../../support/message-set.ts'
import { freshPath, openAt } from './fresh.ts'

const rowsAt = (path: string) => storedRows({ name: 'search', type: 'sqlite', path })

test('rows are counted beside the open sink', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  assert.equal(await rowsAt(path), 0)
  store.write([messageSet(0, [exampleMessage()], 1)])
  assert.equal(await rowsAt(path), 1)
})

test('the rows of a file that is not there are unknown: it may lie on another machine', async (t) => {
  assert.equal(await rowsAt(freshPath(t)), null)
})

test('an empty file has no rows', async (t) => {
  const path = freshPath(t)
  writeFileSync(path, '')
  assert.equal(await rowsAt(path), 0)
})
