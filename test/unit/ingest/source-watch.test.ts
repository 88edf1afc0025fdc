import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { SourceWatch } from '../../../src/ingest/source-watch.ts'
import type { Pulse } from '../../../src/kafka/watchdog.ts'

const pulse = (): Pulse & { beats: number } => ({
  beats: 0,
  alive() {
    this.beats++
  },
  well() {},
  ill() {},
})

test('a source that hangs is found, however lively the other one of its partition is', async (t) => {
  const watch = new SourceWatch(pulse(), 40)
  t.after(() => {
    watch.close()
  })
  const stopping = new AbortController()
  const lively = watch.during('lively', async (alive) => {
    while (!stopping.signal.aborted) {
      alive()
      await delay(5)
    }
  })
  void watch.during('hanging', () => new Promise(() => undefined))
  await assert.rejects(watch.hung, { code: 'stalled', remedy: 'fatal', message: /^Source hanging / })
  stopping.abort()
  await lively
})

test('a source that rests as it said, or has ended, is left alone; every sign of life is passed on', async (t) => {
  const own = pulse()
  const watch = new SourceWatch(own, 30)
  t.after(() => {
    watch.close()
  })
  let hung = false
  watch.hung.catch(() => {
    hung = true
  })
  await watch.during('ended', async () => {})
  void watch.during('resting', async (alive) => {
    alive(60_000)
    await new Promise(() => undefined)
  })
  await delay(150)
  assert.equal(hung, false)
  assert.equal(own.beats, 3)
})
