import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Status } from '../../src/app/status.ts'
import { runChatfeed } from '../support/chatfeed.ts'
import { startScene } from '../support/scene.ts'

suite('unread counts', () => {
  test('each poll is a record in Kafka, the newest shows in status, and an unknown user is named', async (t) => {
    const scene = await startScene(t, {
      since: '3h',
      sources: { easemob: { unread: { users: ['lin.yue', 'nobody_of_that_name'], every: '10m' } } },
    })
    const run = (...words: string[]) => runChatfeed(t, words, { cwd: scene.folder })
    for (let poll = 0; poll < 2; poll++) {
      const { status, stderr } = await run('up', '--once')
      assert.equal(status, 0, stderr)
    }
    const { stdout: lines } = await run('tail', 'unread')
    const records = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { user: string; source: string; observedAt: number })
    assert.deepEqual(records.map(({ user }) => user).sort(), [
      'lin.yue',
      'lin.yue',
      'nobody_of_that_name',
      'nobody_of_that_name',
    ])
    const newestAt = Math.max(...records.map(({ observedAt }) => observedAt))

    const { stdout } = await run('status', '--json')
    const { sources } = JSON.parse(stdout) as Status
    const unread = sources.find(({ provider }) => provider === 'easemob')?.unread ?? []
    const known = unread.find(({ user }) => user === 'lin.yue')
    const unknown = unread.find(({ user }) => user === 'nobody_of_that_name')
    assert.equal(unread.length, 2)
    assert.equal(typeof known?.count, 'number')
    assert.equal(known?.reason, null)
    assert.equal(unknown?.count, null)
    assert.match(unknown?.reason ?? '', /no such user/i)
    assert.ok(Math.max(...unread.map(({ observedAt }) => observedAt)) === newestAt)
    assert.deepEqual(sources.find(({ provider }) => provider === 'polyv')?.unread, [])
  })
})
