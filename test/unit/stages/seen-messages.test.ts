import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeenMessages } from '../../../src/stages/seen-messages.ts'

const print = (text: string): Buffer => Buffer.from(text.padEnd(16, '.'))

test('an id is new once for each content, whatever was met in between', () => {
  const seen = new SeenMessages(1_000)
  assert.equal(seen.judge('a', print('1'), 10), 'new')
  assert.equal(seen.accept('a', print('1'), 10, 0), 1)
  assert.equal(seen.judge('a', print('1'), 10), 'repeat')
  assert.equal(seen.judge('a', print('2'), 20), 'new')
  assert.equal(seen.accept('a', print('2'), 20, 0), 2)
  assert.equal(seen.judge('a', print('1'), 30), 'repeat')
  assert.equal(seen.judge('b', print('1'), 10), 'new')
})

test('an unknown content fetched before the newest accepted one is stale; at the same time it is new', () => {
  const seen = new SeenMessages(1_000)
  seen.accept('a', print('1'), 50, 0)
  assert.equal(seen.judge('a', print('2'), 49), 'stale')
  assert.equal(seen.judge('a', print('1'), 49), 'repeat')
  assert.equal(seen.judge('a', print('2'), 50), 'new')
})

test('contents are compared whole: one that lies across two others is new', () => {
  const seen = new SeenMessages(1_000)
  seen.accept('a', Buffer.from('0123456789abcdef'), 1, 0)
  seen.accept('a', Buffer.from('ghijklmnopqrstuv'), 1, 0)
  assert.equal(seen.judge('a', Buffer.from('89abcdefghijklmn'), 1), 'new')
})

test('every byte of a fingerprint counts, also those that are no text', () => {
  const seen = new SeenMessages(1_000)
  seen.accept('a', Buffer.alloc(16, 0xff), 1, 0)
  assert.equal(seen.judge('a', Buffer.alloc(16, 0xfe), 1), 'new')
  assert.equal(seen.judge('a', Buffer.alloc(16, 0xff), 1), 'repeat')
})

test('an id is forgotten when its last acceptance has left the window, others are kept', () => {
  const seen = new SeenMessages(1_000)
  seen.accept('old', print('1'), 1, 0)
  seen.accept('changed', print('1'), 1, 0)
  seen.accept('young', print('1'), 1, 500)
  seen.accept('changed', print('2'), 2, 900)
  seen.forgetOld(999)
  assert.equal(seen.size, 3)
  seen.forgetOld(1_000)
  assert.equal(seen.size, 2)
  assert.equal(seen.judge('old', print('1'), 1), 'new')
  assert.equal(seen.judge('changed', print('1'), 1), 'repeat')
  seen.forgetOld(1_900)
  assert.equal(seen.size, 0)
})
