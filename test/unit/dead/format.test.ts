import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatList, formatPlan, formatReplay, formatShown } from '../../../src/dead/format.ts'
import type { ListedLetter } from '../../../src/dead/list.ts'

const letter: ListedLetter = {
  id: 'easemob:acme#helpdesk:7',
  address: '2:17',
  code: 'not_json',
  stage: 'enrich',
  reason: 'The record is no JSON object.',
  origin: '2026112310#7',
  source: 'support',
  topic: 'chatfeed.unique',
  partition: 2,
  offset: 40,
  at: Date.parse('2026-11-24T12:00:00'),
  replays: 0,
  resolution: null,
}

test('a list has two lines a letter and tells how many there are beyond the limit', () => {
  const text = formatList({ total: 3, letters: [letter, { ...letter, id: null, replays: 2 }] }, 'open')
  assert.equal(
    text,
    `2026-11-24 12:00:00  2:17      easemob:acme#helpdesk:7
    enrich not_json: The record is no JSON object.
2026-11-24 12:00:00  2:17      (no id)
    enrich not_json, replayed 2 times: The record is no JSON object.
3 open letters, the newest 2 shown`,
  )
})

test('nothing in a letter can steer the terminal', () => {
  const evil = '\u001b]0;title\u0007\u009b2J\u202e'
  const hostile = {
    ...letter,
    id: evil,
    reason: evil,
    resolution: { outcome: 'discarded', at: 0, reason: evil } as const,
  }
  const shown = { ...hostile, bytes: 9, payload: `${evil}\r\nnext\tcell 你好`, payloadBase64: null }
  const planned = { address: '2:17', id: evil, newId: evil, topic: 't', verdict: 'understood' }
  for (const text of [
    formatList({ total: 1, letters: [hostile] }, 'resolved'),
    formatShown([shown]),
    formatPlan({ total: 1, letters: [planned], verdicts: { understood: 1 }, refused: [] }),
    formatReplay({ replayed: 0, refused: [{ reason: evil, count: 2, first: '2:17' }] }),
  ]) {
    assert.doesNotMatch(text.replaceAll(/[\n\t]/g, ''), /[\p{Cc}\p{Cf}]/u)
    assert.match(text, /\\u\{1b\}\]0;title\\u\{7\}\\u\{9b\}2J\\u\{202e\}/)
  }
  assert.match(formatShown([shown]), /\nnext\tcell 你好$/)
})

test('a plan tells what would change its id, what would die again, and what can only be discarded', () => {
  const planned = { address: '2:17', id: 'place#1', newId: 'real', topic: 'raw', verdict: 'not_json' }
  const text = formatPlan({
    total: 2,
    letters: [planned],
    verdicts: { not_json: 1, understood: 1 },
    refused: [{ reason: 'It has no key or no value.', count: 1, first: '0:1' }],
  })
  assert.equal(
    text,
    `2:17      place#1 as real to raw: would die again (not_json)
2 letters would be put back (the first 1 shown): 1 would die again (not_json), 1 understood now.
1 letter cannot be put back, only discarded or kept: It has no key or no value. (0:1)
Nothing was changed.`,
  )
})
