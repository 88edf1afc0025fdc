import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns, type Urgency } from '../../../src/attachments/turns.ts'

/** Work that has begun, and how it is ended. */
function crowd(turns: Turns) {
  const running: string[] = []
  const ends = new Map<string, () => void>()
  const come = (name: string, urgency: Urgency, signal = new AbortController().signal) =>
    turns.take(urgency, signal, () => {
      running.push(name)
      return new Promise<void>((resolve) => ends.set(name, resolve))
    })
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return { running, come, settle, end: (name: string) => ends.get(name)?.() }
}

test('later attempts take half of the turns at most, and one at least', async () => {
  const { running, come, settle, end } = crowd(new Turns(4))
  for (const name of ['l1', 'l2', 'l3']) void come(name, 'later')
  await settle()
  assert.deepEqual(running, ['l1', 'l2'])
  for (const name of ['n1', 'n2', 'n3']) void come(name, 'now')
  await settle()
  assert.deepEqual(running, ['l1', 'l2', 'n1', 'n2'])
  end('l1')
  await settle()
  assert.deepEqual(running.slice(4), ['n3'])
  end('n1')
  await settle()
  assert.deepEqual(running.slice(5), ['l3'])
  const single = crowd(new Turns(1))
  void single.come('l', 'later')
  await single.settle()
  assert.deepEqual(single.running, ['l'])
})

test('one that gives up leaves its place, and no turn is lost by it', async () => {
  const { running, come, settle, end } = crowd(new Turns(1))
  void come('a', 'now')
  const stop = new AbortController()
  const given = come('b', 'now', stop.signal)
  void come('c', 'now')
  stop.abort(new Error('enough'))
  await assert.rejects(given, /enough/)
  end('a')
  await settle()
  assert.deepEqual(running, ['a', 'c'])
})
