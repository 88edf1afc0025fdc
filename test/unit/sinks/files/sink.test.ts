import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Message } from '../../../../src/model.ts'
import { openObjectStore } from '../../../../src/object-store/index.ts'
import { filesConfig } from '../../../../src/sinks/files/config.ts'
import { openSink } from '../../../../src/sinks/index.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { readFiles } from '../../../support/files-store.ts'
import { messageSet } from '../../../support/message-set.ts'
import { sinkContext } from '../../../support/sink-context.ts'

const dayMs = 86_400_000
const message = (n: number, overrides: Partial<Message> = {}) =>
  exampleMessage({ id: `e:a#b:${n}`, ...overrides })
const messages = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => message(from + at))

async function arena(t: TestContext, settings: object = {}) {
  const path = mkdtempSync(join(tmpdir(), 'chatfeed-files-'))
  t.after(() => rmSync(path, { recursive: true }))
  const objects = await openObjectStore(path)
  return {
    open: async (changed: object = {}) => {
      const entry = { name: 'lake', type: 'files', path, format: 'ndjson', ...settings, ...changed }
      const sink = await openSink(filesConfig.parse(entry), sinkContext('cluster/messages'))
      t.after(() => sink.close())
      return sink
    },
    ids: async () => (await readFiles(objects)).map(({ id }) => Number(id.slice(6))).sort((a, b) => a - b),
    keys: async () => {
      const keys: string[] = []
      for await (const { key } of objects.list('provider=')) keys.push(key)
      return keys
    },
  }
}

const count = (to: number) => Array.from({ length: to }, (_, n) => n)

test('what is gathered is nobody’s to see until it is flushed, and then lies by provider and day', async (t) => {
  const { open, keys, ids } = await arena(t)
  const sink = await open()
  const late = message(1, { provider: 'polyv', sentAt: message(0).sentAt + dayMs })
  assert.deepEqual(await sink.write(messageSet(4, [message(0), late], 2)), [])
  assert.deepEqual([await keys(), await sink.position(4), sink.storedTo?.(4)], [[], null, null])
  assert.equal((await sink.flush?.(4))?.length, 2)
  assert.deepEqual([await sink.position(4), sink.storedTo?.(4)], [2, 2])
  assert.deepEqual(await keys(), [
    'provider=easemob/date=2026-11-23/4-0.ndjson',
    'provider=polyv/date=2026-11-24/4-0.ndjson',
  ])
  assert.deepEqual(await ids(), [0, 1])
})

test('a file that has come to its size is rolled by the way', async (t) => {
  const { open, keys, ids } = await arena(t, { rollBytes: 3_000 })
  const sink = await open()
  for (let from = 0; from < 40; from += 4) await sink.write(messageSet(0, messages(from, from + 4), from + 4))
  assert.ok((sink.storedTo?.(0) ?? 0) >= 30)
  await sink.flush?.(0)
  assert.ok((await keys()).length >= 3)
  assert.deepEqual(await ids(), count(40))
})

test('of two readers that gathered the same records one stores them, and the other goes on behind', async (t) => {
  const { open, ids } = await arena(t)
  const [old, young] = [await open(), await open()]
  await old.write(messageSet(0, messages(0, 5), 5))
  await young.write(messageSet(0, messages(0, 8), 8))
  await old.flush?.(0)
  await assert.rejects(young.flush!(0), { code: 'window_entered', remedy: 'transient' })
  assert.equal(await young.position(0), 5)
  await young.write(messageSet(0, messages(5, 8), 8))
  await young.flush?.(0)
  // The old one wakes up again, and repeats all it knows.
  await old.write(messageSet(0, messages(0, 6), 6))
  assert.equal(await old.position(0), 8)
  assert.deepEqual(await ids(), count(8))
})

test('a window that a killed process began is stored again as it was, also in another format', async (t) => {
  const { open, ids, keys } = await arena(t)
  const killed = await open()
  await killed.write(messageSet(0, messages(0, 5), 5))
  await killed.flush?.(0)
  const rewound = await open({ format: 'avro' })
  // As if it had been killed before it moved the position: the records come again, and more of them.
  await rewound.write(messageSet(0, messages(0, 9), 9))
  await rewound.flush?.(0)
  assert.deepEqual(await ids(), count(9))
  assert.deepEqual(
    (await keys()).map((key) => key.slice(key.lastIndexOf('/') + 1)),
    ['0-0.avro', '0-5.avro'],
  )
})

test('files that are removed while the sink runs are written again', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'chatfeed-files-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  const entry = filesConfig.parse({ name: 'lake', type: 'files', path, format: 'ndjson' })
  const sink = await openSink(entry, sinkContext('cluster/messages'))
  t.after(() => sink.close())
  await sink.write(messageSet(0, messages(0, 3), 3))
  await sink.flush?.(0)
  rmSync(path, { recursive: true })
  await assert.rejects(
    sink.write(messageSet(0, messages(3, 5), 5)).then(() => sink.flush!(0)),
    {
      code: 'store_set_back',
      remedy: 'transient',
    },
  )
  assert.equal(await sink.position(0), null)
  await sink.write(messageSet(0, messages(0, 5), 5))
  await sink.flush?.(0)
  assert.equal(await sink.position(0), 5)
})
