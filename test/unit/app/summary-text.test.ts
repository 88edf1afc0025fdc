import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'
import stringWidth from 'string-width'
import { summaryLine, type SummaryModel, summaryText } from '../../../src/app/summary-text.ts'

const units = { done: 71, due: 2, lost: 0, failed: 0 }
const model: SummaryModel = {
  uptimeMs: 3_723_000,
  brokers: '127.0.0.1:9092',
  demo: true,
  sources: [
    { name: 'support', state: 'reading', detail: '2026112310', nextAt: null, units, messages: 12_345 },
    { name: 'live', state: 'waiting', detail: '', nextAt: null, units, messages: 7 },
  ],
  stages: [
    { name: 'dedup', processed: 12_352, perSecond: 812.4, behind: 3, repeats: 120, dead: 0 },
    { name: 'enrich', processed: 10, perSecond: 0, behind: null, repeats: 0, dead: 4 },
  ],
  program: 'chatfeed',
  search: true,
  metricsUrl: 'http://127.0.0.1:8787',
  troubles: [],
}
const source = (more: Partial<SummaryModel['sources'][number]>): SummaryModel => ({
  ...model,
  sources: [{ ...model.sources[0]!, ...more }],
})
const plain = (...parameters: Parameters<typeof summaryText>): string =>
  stripVTControlCharacters(summaryText(...parameters))

test('the picture tells every source and stage, and where to look next', () => {
  const text = plain(model)
  assert.match(text, /^chatfeed {2}01:02:03 {2}Kafka 127\.0\.0\.1:9092 {2}simulated providers$/m)
  assert.match(text, /^ {2}support +71 +2 +12,345 +reading 2026112310$/m)
  assert.match(text, /^ {2}live +71 +2 +7 +nothing to come$/m)
  assert.match(text, /^ {2}dedup +12,352 +3 +812 +120 repeats left out$/m)
  assert.match(text, /^ {2}enrich +10 +– +0 +4 dead letters$/m)
  for (const next of ['chatfeed search', 'chatfeed status', 'chatfeed tail', '8787/metrics', 'Ctrl-C'])
    assert.ok(text.includes(next), next)
})

test('what there is not is not shown', () => {
  const text = plain({ ...model, search: false, metricsUrl: null, demo: false })
  for (const absent of ['chatfeed search', '/metrics', 'simulated']) assert.ok(!text.includes(absent), absent)
})

test('lost and failed hours are shown, while reading and while waiting', () => {
  const counts = { ...units, lost: 3, failed: 1 }
  assert.match(plain(source({ units: counts }), 120), /reading 2026112310 {2}3 lost {2}1 failed/)
  const waiting = source({ state: 'waiting', detail: '', units: counts })
  assert.match(plain(waiting, 120), /nothing to come {2}3 lost {2}1 failed/)
})

test('lost hours stay in sight while the source waits for a fault to pass', () => {
  const throttled = source({ state: 'waiting', detail: 'Too many calls.', units: { ...units, lost: 3 } })
  assert.match(plain(throttled, 200), /Too many calls\. {2}3 lost/)
})

test('a stopped source shows why', () => {
  const text = plain(source({ state: 'stopped', detail: 'The secret is wrong. Set clientSecret.' }), 200)
  assert.match(text, /stopped: The secret is wrong\. Set clientSecret\./)
})

test('the next look is told in seconds when it is near, else by the clock', () => {
  const at = (ms: number) => plain(source({ state: 'waiting', detail: '', nextAt: Date.now() + ms }))
  assert.match(at(-5_000), /next now/)
  assert.match(at(30_400), /next in 30 s/)
  assert.match(at(600_000), /next at \d\d:\d\d/)
})

test('no line is wider than the terminal, whatever is in it', () => {
  const wide: SummaryModel = {
    ...model,
    brokers: 'kafka-1.example.com:9092, kafka-2.example.com:9092, kafka-3.example.com:9092',
    sources: [
      { ...model.sources[0]!, name: 'a-very-long-name-of-a-source-that-goes-on-and-on' },
      {
        ...model.sources[0]!,
        state: 'stopped',
        detail: '应用不存在，请检查组织名称和应用名称是否正确。'.repeat(5),
      },
    ],
  }
  for (const columns of [30, 80, 120]) {
    for (const line of summaryText(wide, columns).split('\n'))
      assert.ok(stringWidth(line) <= columns, `${columns}: ${stripVTControlCharacters(line)}`)
  }
})

test('without colours there is no escape code in it', () => {
  const colours = pc.isColorSupported
  const text = summaryText(source({ state: 'stopped', detail: 'x' }))
  assert.equal(text.includes('\u001b'), colours)
})

test('where there is no terminal, one line says it', () => {
  const line = summaryLine(model)
  assert.equal(
    line,
    'support 12,345 messages (2 units due) · live 7 messages (2 units due) · dedup 12,352 (3 behind) · enrich 10 (– behind)',
  )
})

test('what does not work now stands at the top, and in the line of a log', () => {
  const troubled = { ...model, troubles: ['sink:search: The database is locked by another program.'] }
  assert.match(plain(troubled, 120), /^chatfeed.*\nwaiting: sink:search: The database is locked/)
  assert.match(summaryLine(troubled), /^waiting: sink:search: The database is locked/)
  assert.doesNotMatch(plain(model) + summaryLine(model), /waiting:/)
})
