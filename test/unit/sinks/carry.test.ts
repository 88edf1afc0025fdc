import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError } from '../../../src/errors.ts'
import type { RecordSet } from '../../../src/kafka/record-set.ts'
import { metrics } from '../../../src/metrics.ts'
import { carry } from '../../../src/sinks/carry.ts'
import type { Sink } from '../../../src/sinks/sink.ts'
import { messageSet } from '../../support/message-set.ts'
import { message } from '../samples.ts'

/** A sink that only says when the messages were fetched. */
function sinkThat(write: (records: RecordSet) => Promise<readonly number[]>): Sink {
  return {
    name: 'memory',
    type: 'memory',
    position: () => Promise.resolve(null),
    write,
    rows: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  }
}

const figures = async () => {
  const [rows, processed, delay] = await Promise.all([
    metrics.sinkRows.get(),
    metrics.processed.get(),
    metrics.delay.get(),
  ])
  const seconds = (name: string) =>
    delay.values.find(({ metricName }) => metricName === `chatfeed_delay_seconds_${name}`)?.value ?? 0
  return {
    rows: rows.values[0]?.value ?? 0,
    processed: processed.values[0]?.value ?? 0,
    delays: seconds('count'),
    seconds: seconds('sum'),
  }
}

test('what a sink has stored is counted, and each message by its delay', async () => {
  const records = messageSet(3, [message, message], 102)
  const given: RecordSet[] = []
  const sink = sinkThat((set) => {
    given.push(set)
    return Promise.resolve([Date.now() - 1_000, Date.now() - 5_000])
  })
  await carry(records, sink)
  assert.deepEqual(given, [records])
  const { seconds, ...counted } = await figures()
  assert.deepEqual(counted, { rows: 2, processed: 2, delays: 2 })
  assert.ok(seconds >= 6 && seconds < 7, String(seconds))
})

test('what a sink could not store is not counted', async () => {
  const before = await figures()
  const away = new ChatfeedError('transient', 'sqlite_locked', 'The database is locked.')
  await assert.rejects(
    carry(
      messageSet(3, [message], 1),
      sinkThat(() => Promise.reject(away)),
    ),
    away,
  )
  assert.deepEqual(await figures(), before)
})
