import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkFolder } from '../../src/folder.ts'
import { temporaryFolder } from '../support/chatfeed.ts'

test('a folder to come is judged by the one above it, and not made', (t) => {
  const folder = join(temporaryFolder(t), 'a', 'b')
  const { level, text } = checkFolder('dataDir', folder)
  assert.notEqual(level, 'fault')
  assert.match(text, /can be written to, \d+\.\d GiB free/)
  assert.equal(existsSync(folder), false)
})

test('a place below something that is no folder is a fault with a mend', () => {
  const { level, mend } = checkFolder('dataDir', '/dev/null/data')
  assert.equal(level, 'fault')
  assert.match(mend ?? '', /another folder/)
})
