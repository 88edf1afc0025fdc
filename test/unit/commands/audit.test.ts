import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommandLines, temporaryFolder } from '../../support/chatfeed.ts'

test('wrong times and durations are bad usage, told before anything is started', async (t) => {
  const wrong = {
    '--from yesterday': /^chatfeed: yesterday is no time\. Write /,
    '--to 2026-11-23T10:00:00': /is no time/,
    '--from 1h --to 2h': /^chatfeed: --from 1h is not before --to 2h\. Write the earlier time first\.\n$/,
    '--patience soon': /^chatfeed: soon is no duration\. Write 30s or 5m\.\n$/,
  }
  const lines = Object.keys(wrong).map((words) => ['audit', ...words.split(' ')])
  const results = await runCommandLines(t, lines, temporaryFolder(t))
  for (const [at, told] of Object.values(wrong).entries()) {
    assert.equal(results[at]?.status, 2)
    assert.equal(results[at].stdout, '')
    assert.match(results[at].stderr, told)
  }
})
