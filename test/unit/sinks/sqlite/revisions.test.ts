import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { ChatfeedError } from '../../../../src/errors.ts'
import { storedRevisions } from '../../../../src/sinks/index.ts'
import { freshPath } from './fresh.ts'

const revisionsAt = (path: string) => storedRevisions({ name: 'search', type: 'sqlite', path })

test('a file that is not there cannot be asked: it may lie on another machine', async (t) => {
  assert.equal(await revisionsAt(freshPath(t)), null)
})

test('an empty file holds no revision', async (t) => {
  const path = freshPath(t)
  writeFileSync(path, '')
  const reader = await revisionsAt(path)
  assert.deepEqual(await reader?.of(['a']), new Map())
  await reader?.close()
})

test('a file that is no database says so', async (t) => {
  const path = freshPath(t)
  writeFileSync(path, 'no database at all, but long enough to be looked at as one')
  await assert.rejects(
    revisionsAt(path),
    (error) => error instanceof ChatfeedError && error.code === 'sqlite_not_a_database',
  )
})
