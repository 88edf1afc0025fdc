import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { OffsetDisplay } from '../../../src/kafka/offset-display.ts'

/** A display whose offsets are taken when the test says so. */
function display() {
  const seen: number[] = []
  let answer: (isTaken: boolean) => void = () => undefined
  const shown = new OffsetDisplay((offset) => {
    seen.push(offset)
    return new Promise((resolve) => (answer = resolve))
  })
  return { shown, seen, take: (isTaken = true) => (answer(isTaken), turn()) }
}

test('an offset is shown at once; of those that come meanwhile only the newest', async () => {
  const { shown, seen, take } = display()
  shown.tell(3)
  assert.deepEqual(seen, [3])
  shown.tell(4)
  shown.tell(5)
  await take()
  const ended = shown.end()
  await turn()
  assert.deepEqual(seen, [3, 5])
  await take()
  await ended
})

test('the newest is also shown when nothing comes after it', async () => {
  const { shown, seen, take } = display()
  shown.tell(3)
  shown.tell(4)
  await take()
  while (seen.length < 2) await turn()
  assert.deepEqual(seen, [3, 4])
  await take()
  await shown.end()
})

test('an offset is not shown twice, unless it is asked for', async () => {
  const { shown, seen, take } = display()
  shown.tell(3)
  await take()
  shown.tell(3)
  assert.deepEqual(seen, [3])
  shown.repeat()
  while (seen.length < 2) await turn()
  assert.deepEqual(seen, [3, 3])
  await take()
  await shown.end()
})

test('an offset that could not be shown is tried again when it is told again', async () => {
  const { shown, seen, take } = display()
  shown.tell(3)
  await take(false)
  do {
    shown.tell(3)
    await turn()
  } while (seen.length < 2)
  assert.deepEqual(seen, [3, 3])
  await take()
  await shown.end()
})

test('the end waits for the last offset, but not for ever', { timeout: 5_000 }, async () => {
  const { shown, seen } = display()
  shown.tell(3)
  await shown.end()
  assert.deepEqual(seen, [3])
})
