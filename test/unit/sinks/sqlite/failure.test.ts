import assert from 'node:assert/strict'
import { closeSync, openSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { DatabaseSync } from '@photostructure/sqlite'
import { ChatfeedError } from '../../../../src/errors.ts'
import { sqliteFailure } from '../../../../src/sinks/sqlite/failure.ts'
import { freshPath } from './fresh.ts'

/** Real errors of the driver, each provoked. */
function errorOf(work: () => void): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing went wrong')
}

function verdictOf(error: unknown): string {
  const failure = sqliteFailure(error, 'messages.db')
  assert.ok(failure instanceof ChatfeedError)
  assert.equal(failure.cause, error)
  assert.ok(failure.mend)
  return `${failure.remedy} ${failure.code}`
}

test('a full disk is transient', (t) => {
  const db = new DatabaseSync(freshPath(t))
  t.after(() => db.close())
  db.exec('create table t (a); pragma max_page_count = 2')
  assert.equal(
    verdictOf(errorOf(() => db.exec('insert into t values (zeroblob(100000))'))),
    'transient sqlite_disk_full',
  )
})

test('a read-only database is transient', (t) => {
  const path = freshPath(t)
  new DatabaseSync(path).close()
  const db = new DatabaseSync(path, { readOnly: true })
  t.after(() => db.close())
  assert.equal(verdictOf(errorOf(() => db.exec('create table t (a)'))), 'transient sqlite_read_only')
})

test('a damaged database is fatal', (t) => {
  const path = freshPath(t)
  const whole = new DatabaseSync(path)
  whole.exec('pragma page_size = 4096; create table t (a)')
  whole.close()
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, 4096) // the second page: the rows of the table
  closeSync(file)
  const db = new DatabaseSync(path)
  t.after(() => db.close())
  assert.equal(verdictOf(errorOf(() => db.exec('insert into t values (1)'))), 'fatal sqlite_corrupt')
})

test('a fault of the SQL is ours and stays what it is', (t) => {
  const db = new DatabaseSync(freshPath(t))
  t.after(() => db.close())
  const error = errorOf(() => db.exec('select nonsense'))
  assert.equal(sqliteFailure(error, 'messages.db'), error)
})
