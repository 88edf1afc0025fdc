import assert from 'node:assert/strict'
import { runRoles } from './run-once.ts'
import { newestRevisions, repeated, type Scene } from './scene.ts'

/**
 * Lets a `once` run finish what is left, then counts: what the providers handed out is in `unique`, in `messages` and
 * in the sink, each revision once, as an independent reader and SQLite see it.
 */
export async function assertBalanced(scene: Scene): Promise<void> {
  const { sinks } = await runRoles(scene.config)
  const served = scene.served()
  assert.ok(served.revisions > 0, 'there was something to carry')
  assert.deepEqual(sinks, [{ name: 'search', rows: served.messages }])
  const [unique, messages] = await Promise.all([scene.readUnique(), scene.readMessages()])
  for (const records of [unique, messages]) {
    const revisions = records.map(({ id, revision }) => `${id} ${revision}`)
    assert.deepEqual(repeated(revisions), [])
    assert.equal(revisions.length, served.revisions)
    assert.equal(new Set(records.map(({ id }) => id)).size, served.messages)
  }
  assert.deepEqual(scene.stored(), newestRevisions(messages))
}
