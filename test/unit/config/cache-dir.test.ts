import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cacheDirectory } from '../../../src/config/cache-dir.ts'

test('the cache lies where XDG_CACHE_HOME says, and in ~/.cache where it says nothing usable', (t) => {
  const before = process.env['XDG_CACHE_HOME']
  t.after(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = before
  })
  process.env['XDG_CACHE_HOME'] = '/somewhere/cache'
  assert.equal(cacheDirectory(), '/somewhere/cache/chatfeed')
  for (const unusable of ['', 'relative/path']) {
    process.env['XDG_CACHE_HOME'] = unusable
    assert.equal(cacheDirectory(), join(homedir(), '.cache', 'chatfeed'))
  }
})
