import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { withDeadline } from '../../src/deadline.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Work that lasts until its signal aborts. */
const untilAborted = async (signal: AbortSignal): Promise<string> => {
  const aborted = once(signal, 'abort')
  signal.throwIfAborted()
  await aborted
  return String(signal.reason)
}

test('work is told when its time is up, also when memory was cleaned up meanwhile', async () => {
  const ending = withDeadline(60, new AbortController().signal, untilAborted)
  collectGarbage()
  assert.match(await ending, /not within 60 ms/)
})

test('work is told when the caller aborts, with the reason', async () => {
  const caller = new AbortController()
  const ending = withDeadline(60_000, caller.signal, untilAborted)
  caller.abort('enough')
  assert.equal(await ending, 'enough')
})

test('work that ends in time is not disturbed, and nothing stays behind', async () => {
  const caller = new AbortController()
  let given: AbortSignal | undefined
  const outcome = await withDeadline(60_000, caller.signal, (signal) => {
    given = signal
    return Promise.resolve('done')
  })
  assert.equal(outcome, 'done')
  caller.abort()
  assert.equal(given?.aborted, false)
})
