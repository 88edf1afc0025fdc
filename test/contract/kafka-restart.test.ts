import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type EmbeddedBroker, useEmbeddedBroker } from '../../src/broker/index.ts'
import { Producer } from '../../src/kafka/producer.ts'
import { runReader } from '../../src/kafka/reader.ts'
import { silentLog } from '../../src/log.ts'
import { kafkaAt, until } from '../support/kafka.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { keysWithRepeats, runFirstOfEachKey } from '../support/stage.ts'

/** A broker that this test may stop and start. */
async function ownBroker(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'chatfeed-restart-'))
  const start = () => useEmbeddedBroker({ dataDir, log: silentLog })
  let broker: EmbeddedBroker = await start()
  t.after(async () => {
    await broker.release()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return {
    address: broker.address,
    stop: () => broker.release(),
    kill: async () => {
      process.kill(broker.pid, 'SIGKILL')
      await broker.release()
    },
    start: async () => {
      broker = await start()
    },
  }
}

test('producer, stage and reader outlive restarts of the broker, and stop also while it is away', async (t) => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  const broker = await ownBroker(t)
  const own = kafkaAt(t, [broker.address])
  const { kafka } = own
  const [input, output] = [await own.topic('in', 2), await own.topic('out', 2)]
  const stage = runFirstOfEachKey({ kafka, groupId: own.group('stage'), inputs: [input], output })
  const stored = new Map<string, number>()
  const reader = runReader({
    kafka,
    log: silentLog,
    groupId: own.group('sink'),
    topic: output,
    position: () => Promise.resolve(null),
    write: (records) => {
      for (const record of records)
        stored.set(`${records.partition}-${record.offset}`, Number(record.value()!.toString()))
      return Promise.resolve()
    },
  })
  const producer = await Producer.open(kafka, silentLog, input, { batchRecords: 100 })
  t.after(async () => {
    await Promise.allSettled([producer.close(), stage.stop(), reader.stop()])
  })

  const { keys, distinct } = keysWithRepeats(6_000)
  let sent = 0
  const send = async (count: number) => {
    for (const end = sent + count; sent < end; sent++)
      await producer.add(Buffer.from(keys[sent]!), Buffer.from(String(sent)))
    await producer.flush()
  }
  await send(2_000)
  await until('the reader has something', () => stored.size > 500)
  for (const stop of [broker.stop, broker.kill]) {
    const sending = send(2_000)
    await stop()
    const back = broker.start()
    await Promise.all([sending, back])
  }
  await until('the reader has everything', () => stored.size === distinct.length, 60_000)
  const found = await readCommitted(kafka.brokers, output)
  assert.deepEqual(found.map(({ key }) => key).sort(), distinct.toSorted())

  await broker.stop()
  for (const member of [stage, reader]) {
    const begun = Date.now()
    await member.stop()
    assert.ok(Date.now() - begun < 5_000, `took ${Date.now() - begun} ms`)
  }
  assert.deepEqual(warnings, [])
})
