import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DatabaseSync } from '@photostructure/sqlite'
import { freshPath, openAt, rowsOf } from './fresh.ts'

/** Starts a writer of one partition; resolves when it has stored something. */
async function startWriter(t: TestContext, path: string, partition: number) {
  const script = fileURLToPath(new URL('./crash-writer.ts', import.meta.url))
  const writer = spawn(process.execPath, ['--import', 'tsx', script, path, String(partition)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => writer.kill('SIGKILL'))
  await once(writer.stdout, 'data')
  return writer
}

test('two writers killed at any moment leave rows and positions in step', async (t) => {
  const path = freshPath(t)
  const made = await openAt(t, path)
  made.close()
  const writers = await Promise.all([0, 1].map((partition) => startWriter(t, path, partition)))
  for (const writer of writers) {
    writer.kill('SIGKILL')
    await once(writer, 'exit')
  }
  const store = await openAt(t, path)
  const positions = rowsOf(path, 'select partition, next_offset as rows from positions order by partition')
  const counted = rowsOf(
    path,
    `select cast(substr(message_id, 1, 1) as integer) as partition, count(*) as rows from messages
     group by 1 order by 1`,
  )
  assert.equal(positions.length, 2)
  assert.deepEqual(counted, positions)
  assert.equal(
    rowsOf(path, 'select count(*) as n from message_words where message_words match \'"退款"\'')[0]?.['n'],
    store.rows(),
  )
  const db = new DatabaseSync(path)
  t.after(() => db.close())
  db.exec("insert into message_words (message_words) values ('integrity-check')")
  assert.deepEqual(rowsOf(path, 'pragma integrity_check'), [{ integrity_check: 'ok' }])
})
