import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { DatabaseSync } from '@photostructure/sqlite'
import { ChatfeedError } from '../../../../src/errors.ts'
import type { Sink } from '../../../../src/sinks/sink.ts'
import { openSqliteSink } from '../../../../src/sinks/sqlite/sink.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { messageSet } from '../../../support/message-set.ts'
import { sinkContext } from '../../../support/sink-context.ts'
import { freshPath, rowsOf } from './fresh.ts'

/** A sink whose thread the test can get hold of. */
async function openThread(t: TestContext, path: string): Promise<{ sink: Sink; thread: Worker }> {
  const posted = t.mock.method(Worker.prototype, 'postMessage')
  const sink = await openSqliteSink({ name: 'search', type: 'sqlite', path }, sinkContext('cluster/messages'))
  t.after(() => sink.close().catch(() => undefined))
  await sink.rows()
  return { sink, thread: posted.mock.calls.at(-1)?.this as Worker }
}

const one = (id: string) => messageSet(0, [exampleMessage({ id: `easemob:acme#helpdesk:${id}` })], 1)

test('a locked database holds up nothing else in the process', async (t) => {
  const path = freshPath(t)
  const { sink } = await openThread(t, path)
  const other = new DatabaseSync(path)
  t.after(() => other.close())
  other.exec('begin immediate')
  let longestMs = 0
  let before = performance.now()
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - before)
    before = performance.now()
  }, 20)
  await assert.rejects(sink.write(one('1')), {
    remedy: 'transient',
    code: 'sqlite_locked',
    mend: /Let that program/,
  })
  clearInterval(timer)
  assert.ok(longestMs > 0 && longestMs < 1_000, `nothing else happened for ${longestMs} ms`)
  other.exec('rollback')
  await sink.write(one('1'))
})

test('an error of the store is the same on this side, its cause included', async (t) => {
  const path = freshPath(t)
  const { sink } = await openThread(t, path)
  const db = new DatabaseSync(path)
  t.after(() => db.close())
  db.exec("create trigger t before insert on messages begin select raise(abort, 'not this one'); end")
  await assert.rejects(sink.write(one('1')), (error: Error) => {
    assert.ok(!(error instanceof ChatfeedError), 'a fault that no verdict knows is a bug')
    return error.message.includes('not this one') && error.stack?.includes('store.ts')
  })
  db.exec('drop trigger t; begin immediate')
  await assert.rejects(sink.write(one('1')), (error: ChatfeedError) => {
    assert.deepEqual([error.remedy, error.code], ['transient', 'sqlite_locked'])
    return error instanceof ChatfeedError && /locked/.test((error.cause as Error).message)
  })
})

test('a store that cannot be opened says so and leaves no thread behind', async (t) => {
  const path = freshPath(t)
  const exits: Promise<number>[] = []
  const on = t.mock.method(
    Worker.prototype,
    'once',
    function (this: Worker, ...parameters: [string, () => void]) {
      exits.push(new Promise((resolve) => this.on('exit', resolve)))
      return Worker.prototype.on.apply(this, parameters)
    },
  )
  await assert.rejects(
    openSqliteSink({ name: 'search', type: 'sqlite', path: `${path}/\0` }, sinkContext('cluster/messages')),
  )
  on.mock.restore()
  assert.deepEqual(await Promise.all(exits), [0])
})

test('writes that wait share a transaction, and each is answered', async (t) => {
  const path = freshPath(t)
  const { sink } = await openThread(t, path)
  const before = transactionsOf(path)
  const other = new DatabaseSync(path)
  t.after(() => other.close())
  other.exec('begin immediate')
  const writing = Promise.all(
    Array.from({ length: 20 }, (_, partition) => sink.write(messageSet(partition, [exampleMessage()], 3))),
  )
  await delay(30) // some are with the store by now, others wait
  other.exec('rollback')
  assert.equal((await writing).length, 20)
  assert.equal(rowsOf(path, 'select * from positions').length, 20)
  const transactions = transactionsOf(path) - before
  assert.ok(transactions >= 1 && transactions <= 3, `${transactions} transactions`)
})

/** Transactions in the write-ahead log of a database: each ends with a page that tells the size of the database. */
function transactionsOf(path: string): number {
  const log = readFileSync(`${path}-wal`)
  const [fileHead, pageHead, page] = [32, 24, 4096]
  let count = 0
  for (let at = fileHead; at + pageHead + page <= log.length; at += pageHead + page)
    if (log.readUInt32BE(at + 4) > 0) count++
  return count
}

test('a thread that dies fails what waits and what comes with its error, and closing it is harmless', async (t) => {
  const { sink, thread } = await openThread(t, freshPath(t))
  thread.postMessage(null) // no call: the thread falls over it
  const isTold = (error: ChatfeedError) => {
    assert.deepEqual([error.remedy, error.code], ['fatal', 'store_thread_ended'])
    assert.match(error.mend ?? '', /supervisor/)
    return (error.cause as Error).name === 'TypeError'
  }
  const waiting = [sink.write(one('1')), sink.position(0), sink.rows()]
  await Promise.all(waiting.map((call) => assert.rejects(call, isTold)))
  await assert.rejects(sink.position(0), { code: 'store_thread_ended' })
  await sink.close()
})

test('a thread that ends without a word is noticed', async (t) => {
  const { sink, thread } = await openThread(t, freshPath(t))
  await thread.terminate()
  await assert.rejects(sink.rows(), { remedy: 'fatal', code: 'store_thread_ended' })
  await sink.close()
})

test('writes under way are stored before the store closes; later ones are refused for the moment', async (t) => {
  const path = freshPath(t)
  const { sink } = await openThread(t, path)
  const writing = sink.write(one('1'))
  const closing = sink.close()
  await assert.rejects(sink.write(one('2')), { remedy: 'transient', code: 'store_closed' })
  await Promise.all([writing, closing, sink.close()])
  assert.deepEqual(rowsOf(path, 'select message_id from messages'), [{ message_id: '1' }])
})

test('a process that ends in the middle of a write ends as it was told to, and the database is whole', async (t) => {
  const path = freshPath(t)
  const script = fileURLToPath(new URL('./exit-writer.ts', import.meta.url))
  const statuses = await Promise.all(
    [3, 10, 25, 60].map(async (ms, at) => {
      const file = `${path}-${at}`
      const writer = spawn(process.execPath, ['--import', 'tsx', script, file, String(ms)], {
        stdio: 'inherit',
      })
      const [status] = (await once(writer, 'exit')) as [number | null]
      assert.deepEqual(rowsOf(file, 'pragma integrity_check'), [{ integrity_check: 'ok' }])
      return status
    }),
  )
  assert.deepEqual(statuses, [7, 7, 7, 7])
})
