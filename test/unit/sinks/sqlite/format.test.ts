import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { formatHits } from '../../../../src/sinks/sqlite/format.ts'
import type { SearchHit } from '../../../../src/sinks/sqlite/search.ts'

const hit = (overrides: Partial<SearchHit> = {}): SearchHit => ({
  id: 'easemob:acme#helpdesk:1',
  sentAt: new Date(2026, 10, 23, 18, 5).getTime(),
  source: 'support',
  conversationId: 'agent.xu|lin.yue',
  sender: '林月',
  text: '我想申请退款',
  snippet: '我想申请«退款»',
  status: 'visible',
  ...overrides,
})

test('a hit is one line: local time, source, sender, snippet; the count follows', () => {
  assert.equal(
    formatHits({ total: 1, hits: [hit()] }, { columns: 80, color: false }),
    '2026-11-23 18:05  support  林月            我想申请«退款»\n1 message',
  )
})

test('columns stand under each other whatever the scripts', () => {
  const hits = [
    hit({ source: 'live', sender: 'Maya Lindqvist', snippet: '«x»' }),
    hit({ sender: '一个名字特别长的客户', snippet: '«x»' }),
    hit({ sender: null, snippet: '«x»' }),
  ]
  const lines = formatHits({ total: 3, hits }, { columns: 80, color: false }).split('\n').slice(0, 3)
  const starts = lines.map((line) => stringWidth(line.slice(0, line.indexOf('«'))))
  assert.deepEqual(new Set(starts).size, 1, lines.join('\n'))
})

test('no line is wider than the terminal', () => {
  const hits = [
    hit({ snippet: `«退款»${'很长的文字'.repeat(20)}…` }),
    hit({ status: 'deleted', snippet: '字'.repeat(80) }),
  ]
  for (const color of [true, false]) {
    for (const line of formatHits({ total: 2, hits }, { columns: 90, color }).split('\n')) {
      assert.ok(stringWidth(stripVTControlCharacters(line)) <= 90, line)
    }
  }
})

test('colour takes the place of the marks', () => {
  const shown = formatHits({ total: 1, hits: [hit()] }, { columns: 80, color: true })
  assert.ok(!/[«»]/.test(shown))
  assert.match(stripVTControlCharacters(shown), /我想申请退款\n/)
  assert.notEqual(shown, stripVTControlCharacters(shown))
})

test('a deleted message says so', () => {
  assert.match(
    formatHits({ total: 1, hits: [hit({ status: 'deleted' })] }, { columns: 80, color: false }),
    /\[deleted\] 我想/,
  )
})

test('a limited result tells how many there are', () => {
  assert.match(
    formatHits({ total: 12, hits: [hit()] }, { columns: 80, color: false }),
    /\n12 messages, 1 shown$/,
  )
  assert.equal(formatHits({ total: 0, hits: [] }, { columns: 80, color: false }), '0 messages')
})
