/**
 * The thread of one SQLite store, started by store-thread.ts. Calls are answered in their order; writes that wait
 * one behind the other share a transaction, whose cost is that of many rows.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Codecs } from '../../codecs.ts'
import { isTransient } from '../../errors.ts'
import { RecordSet, type RecordSetParts } from '../../kafka/record-set.ts'
import { schemaWanted } from '../../registry/late-schemas.ts'
import { toThrown } from '../../thrown.ts'
import { messageReader } from '../messages.ts'
import { type Answer, type Call, opening, type Question, type Results, type ThreadData } from './call.ts'
import { Brake } from './brake.ts'
import { SqliteStore } from './store.ts'

/** Fetched bytes that share a transaction: some ten thousand messages. A larger set has one of its own. */
const mostBytes = 1 << 20

const port = parentPort!
const { options, reading, cells } = workerData as ThreadData
const brake = new Brake(cells)
/** What this thread does not know it is told by the one that started it, which asks the registry. */
const codecs = new Codecs(reading.codecs, (id) => schemaWanted(id, 'it is being asked for'))
const waiting: Call[] = []

if (brake.begin()) await start()

async function start(): Promise<void> {
  try {
    const store = await SqliteStore.open(options, messageReader(codecs.message, reading.where), brake)
    port.on('message', (call: Call) => {
      if (waiting.push(call) === 1) setImmediate(next, store)
    })
    answer({ id: opening, result: undefined })
  } catch (error) {
    // Nothing listens any more, so the thread ends.
    answer({ id: opening, thrown: toThrown(error) })
  } finally {
    brake.end()
  }
}

/** Takes what stands first; what comes meanwhile is seen before the next step. */
function next(store: SqliteStore): void {
  if (!brake.begin()) return
  try {
    step(store)
  } finally {
    brake.end()
  }
  if (waiting.length > 0) setImmediate(next, store)
}

function step(store: SqliteStore): void {
  const { id, question } = waiting[0]!
  if (question.what === 'write') write(store, takeWrites())
  else {
    waiting.shift()
    try {
      answer({ id, result: ask(store, question) })
    } catch (error) {
      answer({ id, thrown: toThrown(error) })
    }
  }
}

interface Write {
  id: number
  records: RecordSetParts
}

/** The writes before the next call of another kind. */
function takeWrites(): Write[] {
  const writes: Write[] = []
  let bytes = 0
  for (const { id, question } of waiting) {
    if (question.what !== 'write') break
    bytes += question.records.bytes.length
    if (bytes > mostBytes && writes.length > 0) break
    writes.push({ id, records: question.records })
  }
  waiting.splice(0, writes.length)
  return writes
}

function write(store: SqliteStore, writes: readonly Write[]): void {
  try {
    const stored = store.write(writes.map(({ records }) => RecordSet.from(records)))
    for (const [at, { id }] of writes.entries()) answer({ id, result: stored[at] ?? [] })
  } catch (error) {
    // What is wrong with one set must not hold up the other partitions.
    const isOfOneSet = !isTransient(error) || error.code === 'schema_wanted'
    if (writes.length > 1 && isOfOneSet) for (const one of writes) write(store, [one])
    else for (const { id } of writes) answer({ id, thrown: toThrown(error) })
  }
}

function ask(store: SqliteStore, question: Exclude<Question, { what: 'write' }>): Results[keyof Results] {
  switch (question.what) {
    case 'position':
      return store.position(question.partition)
    case 'rows':
      return store.rows()
    case 'learn':
      for (const [id, text] of question.known) codecs.learn(id, text)
      return undefined
    case 'close':
      port.unref() // the thread ends when this is answered
      store.close()
      return undefined
  }
}

function answer(given: Answer): void {
  port.postMessage(given)
}
