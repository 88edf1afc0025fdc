import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError } from '../../../../src/errors.ts'
import { Circuit } from '../../../../src/sinks/webhook/circuit.ts'

function arena() {
  let nowMs = 1_000_000
  let calls = 0
  const circuit = new Circuit(
    () => nowMs,
    () => 1,
  )
  const call = (error?: ChatfeedError) =>
    circuit.run(() => {
      calls++
      return error ? Promise.reject(error) : Promise.resolve('done')
    })
  return {
    circuit,
    call,
    calls: () => calls,
    pass: (ms: number) => {
      nowMs += ms
    },
    /** How long the failure of a call says to wait. */
    restAfter: async (error?: ChatfeedError) => {
      const failure = await call(error).then(
        () => assert.fail('it failed'),
        (thrown: unknown) => thrown as ChatfeedError,
      )
      assert.equal(failure.remedy, 'transient')
      return failure.retryAfterMs
    },
  }
}

const away = new ChatfeedError('transient', 'webhook_503', 'It answers 503.', { mend: 'Wait.' })

test('each failure in a row doubles the rest, up to a minute', async () => {
  const { restAfter, pass } = arena()
  const rests = []
  for (let n = 0; n < 10; n++) {
    rests.push(await restAfter(away))
    pass(60_000)
  }
  assert.deepEqual(rests, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
})

test('open, it calls nobody and gives the last reason', async () => {
  const { call, calls, restAfter, pass } = arena()
  for (let n = 0; n < 5; n++) await restAfter(away)
  assert.equal(await restAfter(), 8_000)
  pass(5_000)
  await assert.rejects(call(), {
    code: 'webhook_503',
    message: away.message,
    mend: 'Wait.',
    retryAfterMs: 3_000,
  })
  assert.equal(calls(), 5)
})

test('half open, one call tries for all; its success closes the circuit', async () => {
  const { circuit, call, restAfter, pass } = arena()
  for (let n = 0; n < 5; n++) await restAfter(away)
  pass(8_000)
  let answer: (text: string) => void = () => undefined
  const trial = circuit.run(() => new Promise<string>((resolve) => (answer = resolve)))
  await assert.rejects(call(), { code: 'webhook_503' })
  answer('back')
  assert.equal(await trial, 'back')
  assert.equal(await call(), 'done')
  assert.equal(await restAfter(away), 500)
})

test('a waiting time that the receiver names is kept by every caller', async () => {
  const { calls, restAfter, pass } = arena()
  const busy = new ChatfeedError('transient', 'webhook_429', 'It answers 429.', { retryAfterMs: 30_000 })
  assert.equal(await restAfter(busy), 30_000)
  pass(10_000)
  assert.equal(await restAfter(), 20_000)
  assert.equal(calls(), 1)
})

test('calls that fail together are one failure, and being told to end is none', async () => {
  const { restAfter, call } = arena()
  await Promise.all([restAfter(away), restAfter(away), restAfter(away)])
  await assert.rejects(call(new ChatfeedError('transient', 'stopped', 'Told to end.')), { code: 'stopped' })
  assert.equal(await restAfter(away), 1_000)
})
