import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { printLine } from '../../../src/commands/print-line.ts'

/** A pipe without room; its reader ends every write by `answer`. */
function narrowPipe(answer: (done: (error?: Error) => void) => void): Writable {
  return new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => {
      setImmediate(answer, done)
    },
  })
}

const brokenPipe = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
const never = new AbortController().signal

test('a line waits for a slow reader', async () => {
  let read = 0
  const pipe = narrowPipe((done) => {
    read++
    done()
  })
  await printLine(pipe, '{}', never)
  assert.equal(read, 1)
})

test('a reader that has gone away, as the stop signal tells, is no error', async () => {
  const stopping = new AbortController()
  const pipe = narrowPipe((done) => {
    done(brokenPipe)
  })
  pipe.on('error', () => {
    stopping.abort()
  })
  await printLine(pipe, '{}', stopping.signal)
  await printLine(pipe, '{}', stopping.signal)
  assert.ok(stopping.signal.aborted)
})

test('a stop ends the waiting for a reader that reads nothing', async () => {
  const stopping = new AbortController()
  const pipe = narrowPipe(() => {
    stopping.abort()
  })
  await printLine(pipe, '{}', stopping.signal)
})

test('any other fault of the output is told', async () => {
  const pipe = narrowPipe((done) => {
    done(new Error('no space left'))
  })
  await assert.rejects(printLine(pipe, '{}', never), /no space left/)
})
