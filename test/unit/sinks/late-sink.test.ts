import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError } from '../../../src/errors.ts'
import { LateSink } from '../../../src/sinks/late-sink.ts'
import { messageSet } from '../../support/message-set.ts'
import type { Sink } from '../../../src/sinks/sink.ts'

const away = () => new ChatfeedError('transient', 'sqlite_locked', 'The database is locked.')

/** A store whose first openings fail with these errors. */
function store(...failures: Error[]) {
  const seen = { openings: 0, closings: 0 }
  const opened: Sink = {
    name: 'search',
    type: 'sqlite',
    position: () => Promise.resolve(7),
    write: () => Promise.resolve([]),
    rows: () => Promise.resolve(3),
    close: () => Promise.resolve(void seen.closings++),
  }
  const sink = new LateSink({ name: 'search', type: 'sqlite' }, () => {
    seen.openings++
    const failure = failures.shift()
    return failure ? Promise.reject(failure) : Promise.resolve(opened)
  })
  return { sink, seen, opened }
}

test('a store that is away at the start is told of, and opened when it is there', async () => {
  const { sink, seen } = store(away(), away())
  const told: Error[] = []
  await sink.tryOpen((error) => told.push(error))
  assert.match(told[0]?.message ?? '', /locked/)
  await assert.rejects(sink.position(0), { code: 'sqlite_locked', remedy: 'transient' })
  assert.equal(await sink.position(0), 7)
  assert.equal(await sink.rows(), 3)
  await sink.close()
  assert.deepEqual(seen, { openings: 3, closings: 1 })
})

test('a store that is wrong for good fails at once', async () => {
  const { sink } = store(new ChatfeedError('fatal', 'sqlite_corrupt', 'The database is damaged.'))
  await assert.rejects(
    sink.tryOpen(() => assert.fail('it is not away')),
    { code: 'sqlite_corrupt' },
  )
})

test('partitions that ask at the same time share one opening', async () => {
  const { sink, seen } = store()
  await Promise.all([sink.position(0), sink.position(1), sink.rows()])
  assert.equal(seen.openings, 1)
})

test('a store that never opened has nothing to close', async () => {
  const { sink, seen } = store(away())
  await sink.tryOpen(() => undefined)
  await sink.close()
  assert.deepEqual(seen, { openings: 1, closings: 0 })
})

test('a store that has gone is opened anew, and each partition asks it for its place before it writes', async () => {
  const { sink, seen, opened } = store()
  await Promise.all([sink.position(0), sink.position(1)])
  const gone = new ChatfeedError('transient', 'store_gone', 'The database was removed.')
  opened.write = () => Promise.reject(gone)
  await assert.rejects(sink.write(messageSet(0, [], 8)), gone)
  let written = 0
  opened.write = () => {
    written++
    return Promise.resolve([])
  }
  assert.equal(await sink.position(0), 7)
  // What lies between the place of the new store and these records would be lost.
  await assert.rejects(sink.write(messageSet(1, [], 9)), { code: 'store_opened_anew', remedy: 'transient' })
  await sink.write(messageSet(0, [], 8))
  assert.equal(await sink.position(1), 7)
  await sink.write(messageSet(1, [], 9))
  assert.equal(written, 2)
  assert.deepEqual(seen, { openings: 2, closings: 1 })
})
