import { writeSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import { isMainThread, Worker, type WorkerOptions } from 'node:worker_threads'
import { Ledger } from '../../src/ingest/ledger.ts'
import { Connection } from '../../src/kafka/connection.ts'
import { metrics } from '../../src/metrics.ts'
import { Words } from '../../src/sinks/sqlite/words.ts'

// Loaded into a chatfeed process before its own code (`--import`): kills it with SIGKILL when it comes to the fault
// point of CHATFEED_TEST_FAULT for the CHATFEED_TEST_FAULT_COUNT-th time, and says so on standard error before.

/** Steps of a message's way. A commit is that of a stage's transaction, unless it is named after the ledger or a sink. */
export type FaultPoint =
  | 'after-fetch'
  | 'after-send'
  | 'after-send-offsets'
  | 'before-commit'
  | 'during-commit'
  | 'after-commit'
  | 'before-ledger'
  | 'during-ledger-commit'
  | 'after-ledger'
  | 'during-sink-transaction'
  | 'after-sink-commit'

const wanted = process.env['CHATFEED_TEST_FAULT']
let left = Number(process.env['CHATFEED_TEST_FAULT_COUNT'] ?? 1)

function reach(point: FaultPoint): void {
  if (point !== wanted || --left !== 0) return
  writeSync(2, `killed at ${point}\n`)
  process.kill(process.pid, 'SIGKILL')
}

/** Puts `around` in the place of a method; the original one is given to it as a function without parameters. */
function wrap(
  prototype: object,
  name: string,
  around: (call: () => unknown, parameters: unknown[], self: unknown) => unknown,
): void {
  const original = (prototype as Record<string, (...parameters: unknown[]) => unknown>)[name]
  if (!original) throw new Error(`There is no ${name} to wrap.`)
  const value = function (this: unknown, ...parameters: unknown[]) {
    return around(() => Reflect.apply(original, this, parameters), parameters, this)
  }
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
}

wrap(Connection.prototype, 'send', async (call, [, request]) => {
  const answer = await call()
  const { apiName } = (request as { request: { apiName: string } }).request
  if (apiName === 'Fetch' && (answer as { bytes: Buffer }[]).some(({ bytes }) => bytes.length > 0))
    reach('after-fetch')
  if (apiName === 'Produce') reach('after-send')
  return answer
})

const isOfLedger = (transactionalId: string): boolean => /\bingest-\d+/.test(transactionalId)

const { prototype: broker } = createRequire(import.meta.url)('kafkajs/src/broker') as { prototype: object }
wrap(broker, 'txnOffsetCommit', async (call) => {
  const answer = await call()
  reach('after-send-offsets')
  return answer
})
wrap(broker, 'endTxn', async (call, [request]) => {
  const { transactionalId } = request as { transactionalId: string }
  if (isOfLedger(transactionalId)) return call()
  reach('before-commit')
  const answer = await call()
  reach('after-commit')
  return answer
})

// During a commit: the request is with the kernel, and its answer cannot have been read yet.
const endTxnKey = 26
wrap(Socket.prototype, 'write', (call, [bytes], socket) => {
  const written = call()
  if (Buffer.isBuffer(bytes) && bytes.length > 8 && bytes.readInt16BE(4) === endTxnKey) {
    const isSent = (socket as Socket).writableLength === 0
    if (isSent) reach(isOfLedger(bytes.toString('latin1')) ? 'during-ledger-commit' : 'during-commit')
  }
  return written
})

wrap(Ledger.prototype, 'put', async (call, [entry]) => {
  const isPublished = (entry as { state: string }).state === 'published'
  if (isPublished) reach('before-ledger')
  await call()
  if (isPublished) reach('after-ledger')
})

// A store works in a thread of its own, into which Node 20 loads nothing by itself.
if (isMainThread) {
  const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: typeof Worker }
  threads.Worker = class extends Worker {
    constructor(script: string, options: WorkerOptions) {
      const tsx = import.meta.resolve('tsx/esm/api')
      const before = `import('${tsx}').then(({ register }) => (register(), import('${import.meta.url}')))`
      super(`${before}.then(() => ${script})`, options)
    }
  }
  syncBuiltinESMExports()
}
wrap(Words.prototype, 'toIndex', (call) => {
  reach('during-sink-transaction')
  return call()
})
// Counted directly after the commit.
wrap(metrics.sinkRows, 'inc', (call) => {
  reach('after-sink-commit')
  call()
})
