import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError, explain } from '../../src/errors.ts'
import { fromThrown, toThrown } from '../../src/thrown.ts'

/** As another thread gets it. */
const crossed = (error: unknown) => fromThrown(structuredClone(toThrown(error)))

test('a ChatfeedError crosses with all that it tells', () => {
  const cause = new ChatfeedError('message', 'broken_value', 'Not whole.', { cause: new RangeError('at 7') })
  const error = new ChatfeedError('transient', 'away', 'Not there.', {
    cause,
    mend: 'Wait.',
    retryAfterMs: 5,
  })
  const arrived = crossed(error)
  assert.ok(arrived instanceof ChatfeedError)
  const { remedy, code, message, mend, retryAfterMs, stack } = arrived
  assert.deepEqual(
    [remedy, code, message, mend, retryAfterMs, stack],
    ['transient', 'away', 'Not there.', 'Wait.', 5, error.stack],
  )
  assert.equal(explain(arrived), 'Not there. Wait.')
  assert.ok(arrived.cause instanceof ChatfeedError)
  assert.deepEqual([arrived.cause.code, arrived.cause.mend], ['broken_value', undefined])
  const { name, message: innermost, cause: end } = arrived.cause.cause as Error
  assert.deepEqual([name, innermost, end], ['RangeError', 'at 7', undefined])
})

test('any other error stays none of ours', () => {
  const error = new TypeError('x is undefined')
  const arrived = crossed(error)
  assert.ok(!(arrived instanceof ChatfeedError))
  assert.deepEqual([arrived.name, arrived.message, arrived.stack], ['TypeError', error.message, error.stack])
  assert.equal(crossed('a word').message, 'a word')
})
