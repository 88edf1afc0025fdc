import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SeenMessages } from '../../../src/stages/seen-messages.ts'
import { contentOf, SeenByMap } from './contents.ts'

const print = (text: string): Buffer => Buffer.from(text.padEnd(16, '.'))

test('an id is new once for each content, whatever was met in between', () => {
  const seen = new SeenMessages(1_000)
  assert.equal(seen.judge(contentOf('a', print('1')), 10), 'new')
  assert.equal(seen.accept(contentOf('a', print('1')), 10, 0), 1)
  assert.equal(seen.judge(contentOf('a', print('1')), 10), 'repeat')
  assert.equal(seen.judge(contentOf('a', print('2')), 20), 'new')
  assert.equal(seen.accept(contentOf('a', print('2')), 20, 0), 2)
  assert.equal(seen.judge(contentOf('a', print('1')), 30), 'repeat')
  assert.equal(seen.judge(contentOf('b', print('1')), 10), 'new')
})

test('an unknown content fetched before the newest accepted one is stale; at the same time it is new', () => {
  const seen = new SeenMessages(1_000)
  seen.accept(contentOf('a', print('1')), 50, 0)
  assert.equal(seen.judge(contentOf('a', print('2')), 49), 'stale')
  assert.equal(seen.judge(contentOf('a', print('1')), 49), 'repeat')
  assert.equal(seen.judge(contentOf('a', print('2')), 50), 'new')
})

test('contents are compared whole: one that lies across two others is new', () => {
  const seen = new SeenMessages(1_000)
  seen.accept(contentOf('a', Buffer.from('0123456789abcdef')), 1, 0)
  seen.accept(contentOf('a', Buffer.from('ghijklmnopqrstuv')), 1, 0)
  assert.equal(seen.judge(contentOf('a', Buffer.from('89abcdefghijklmn')), 1), 'new')
})

test('every byte of a fingerprint counts, also those that are no text', () => {
  const seen = new SeenMessages(1_000)
  seen.accept(contentOf('a', Buffer.alloc(16, 0xff)), 1, 0)
  assert.equal(seen.judge(contentOf('a', Buffer.alloc(16, 0xfe)), 1), 'new')
  assert.equal(seen.judge(contentOf('a', Buffer.alloc(16, 0xff)), 1), 'repeat')
})

test('an id is forgotten when its last acceptance has left the window, others are kept', () => {
  const seen = new SeenMessages(1_000)
  const old = contentOf('old', print('1'))
  const changed = contentOf('changed', print('1'))
  seen.accept(old, 1, 0)
  seen.accept(changed, 1, 0)
  seen.accept(contentOf('changed', print('2')), 2, 900)
  seen.forgetOld(999)
  assert.equal(seen.judge(old, 1), 'repeat')
  seen.forgetOld(1_000)
  assert.equal(seen.judge(old, 1), 'new')
  assert.equal(seen.judge(changed, 1), 'repeat')
  seen.forgetOld(1_900)
  assert.equal(seen.judge(changed, 1), 'new')
  assert.equal(seen.accept(changed, 1, 1_900), 1)
  assert.equal(seen.judge(contentOf('changed', print('2')), 2), 'new')
})

test('an id stays forgotten when the clock goes back', () => {
  const seen = new SeenMessages(1_000)
  const content = contentOf('a', print('1'))
  seen.accept(content, 1, 0)
  seen.forgetOld(1_000)
  seen.forgetOld(500)
  assert.equal(seen.judge(content, 1), 'new')
})

test('whatever comes, it says what a plain map of strings says', () => {
  const step = fc.record({
    id: fc.integer({ min: 0, max: 12 }).map((n) => `id ${n}`),
    fingerprint: fc.integer({ min: 0, max: 4 }).map((n) => Buffer.alloc(16, n + 253)),
    fetchedAt: fc.oneof(
      fc.integer({ min: -3, max: 9 }),
      fc.constantFrom(2 ** 32 - 1, 2 ** 32, 1_795_000_000_123, 2 ** 48, -(2 ** 48), Number.MAX_SAFE_INTEGER),
    ),
    restored: fc.option(fc.integer({ min: 1, max: 2 ** 31 - 2 })),
    passesMs: fc.constantFrom(0, 0, 1, 7, 40, 2 ** 33),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.constantFrom(0, 1_795_000_000_000),
      (steps, startMs) => {
        const windowMs = 100
        const seen = new SeenMessages(windowMs)
        const model = new SeenByMap(windowMs)
        let nowMs = startMs
        for (const { id, fingerprint, fetchedAt, restored, passesMs } of steps) {
          nowMs += passesMs
          seen.forgetOld(nowMs)
          model.forgetOld(nowMs)
          const content = contentOf(id, fingerprint)
          const verdict = seen.judge(content, fetchedAt)
          assert.equal(verdict, model.judge(id, fingerprint, fetchedAt))
          if (verdict !== 'new' && restored === null) continue
          assert.equal(
            seen.accept(content, fetchedAt, nowMs, restored ?? undefined),
            model.accept(id, fingerprint, fetchedAt, nowMs, restored ?? undefined),
          )
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('among very many ids each is found with its own content, and their memory is used again', () => {
  const windowMs = 1_000
  const seen = new SeenMessages(windowMs)
  const many = 60_000
  const content = (n: number) => contentOf(`easemob:acme#helpdesk:${n}`, print(String(n)))
  for (const round of [0, 1, 2]) {
    const nowMs = round * windowMs
    // One segment a call.
    for (let calls = 0; calls < 300; calls++) seen.forgetOld(nowMs + calls)
    assert.equal(seen.size, 0)
    for (let n = 0; n < many; n++) {
      assert.equal(seen.judge(content(n), 1), 'new')
      assert.equal(seen.accept(content(n), 1, nowMs), 1)
    }
    assert.equal(seen.size, many)
    for (let n = 0; n < many; n += 7) {
      assert.equal(seen.judge(content(n), 1), 'repeat')
      assert.equal(seen.judge(contentOf(`easemob:acme#helpdesk:${n}`, print('other')), 1), 'new')
    }
  }
})
