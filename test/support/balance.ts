import assert from 'node:assert/strict'
import type { OnceSummary } from '../../src/app/once.ts'
import { runChatfeed } from './chatfeed.ts'
import type { Cleanup } from './cleanup.ts'
import { newestRevisions, repeated, type Scene } from './scene.ts'

/**
 * Lets a `once` run finish what is left, then counts: what the providers handed out is in `unique`, in `messages` and
 * in the sink, each revision once, as an independent reader and SQLite see it.
 */
export async function assertBalanced(t: Cleanup, scene: Scene): Promise<void> {
  const { status, stdout, stderr } = await runChatfeed(t, ['up', '--once', '--json'], { cwd: scene.folder })
  assert.equal(status, 0, stderr)
  const served = scene.served()
  assert.ok(served.revisions > 0, 'there was something to carry')
  assert.deepEqual((JSON.parse(stdout) as OnceSummary).sinks, [{ name: 'search', rows: served.messages }])
  const [unique, messages] = await Promise.all([scene.readUnique(), scene.readMessages()])
  for (const records of [unique, messages]) {
    const revisions = records.map(({ id, revision }) => `${id} ${revision}`)
    assert.deepEqual(repeated(revisions), [])
    assert.equal(revisions.length, served.revisions)
    assert.equal(new Set(records.map(({ id }) => id)).size, served.messages)
  }
  assert.deepEqual(scene.stored(), newestRevisions(messages))
}
