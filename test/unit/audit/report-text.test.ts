import assert from 'node:assert/strict'
import { test } from 'node:test'
import stringWidth from 'string-width'
import type { AuditReport, ProblemReport, UnitReport } from '../../../src/audit/report.ts'
import { auditText } from '../../../src/audit/report-text.ts'

const unit = (source: string, name: string, fields: Partial<UnitReport> = {}): UnitReport => ({
  source,
  unit: name,
  state: 'published',
  lines: 1_200,
  raw: 1_200,
  unique: 1_198,
  messages: 1_197,
  dead: 1,
  sinks: { search: 1_190 },
  problems: 0,
  ...fields,
})

const report = (fields: Partial<AuditReport> = {}): AuditReport => ({
  balanced: true,
  units: [],
  problems: [],
  problemCount: 0,
  truncated: false,
  tally: [],
  stages: [],
  sinks: [],
  notes: [],
  ...fields,
})

const plain = { columns: 80, color: false, units: false }

const hours = Array.from({ length: 72 }, (_, hour) => {
  const day = 21 + Math.floor(hour / 24)
  return `202611${day}${String(hour % 24).padStart(2, '0')}`
})

test('a month of hours is summed up by source and day', () => {
  const units = hours.flatMap((hour) => [
    unit('live', `2477096/${hour}`),
    unit('live', `2477097/${hour}`),
    unit('support', hour),
  ])
  const text = auditText(report({ units: [...units, unit('support', 'import/old.gz')] }), plain)
  assert.equal(
    text,
    [
      '                     lines      raw   unique  messages  dead   search',
      'live, 144 units    172,800  172,800  172,512   172,368   144  171,360',
      '  2026-11-21        57,600   57,600   57,504    57,456    48   57,120',
      '  2026-11-22        57,600   57,600   57,504    57,456    48   57,120',
      '  2026-11-23        57,600   57,600   57,504    57,456    48   57,120',
      'support, 73 units   87,600   87,600   87,454    87,381    73   86,870',
      '  2026-11-21        28,800   28,800   28,752    28,728    24   28,560',
      '  2026-11-22        28,800   28,800   28,752    28,728    24   28,560',
      '  2026-11-23        28,800   28,800   28,752    28,728    24   28,560',
      '  imports            1,200    1,200    1,198     1,197     1    1,190',
      '',
      'Balanced: 260,400 lines of 217 units are accounted for.',
      '',
    ].join('\n'),
  )
})

test('every unit with a problem has a line of its own, and every problem of a few is told', () => {
  const problem: ProblemReport = {
    kind: 'missing',
    where: 'sink:search',
    id: 'easemob:acme#helpdesk:1287645',
    source: 'support',
    unit: '2026112110',
    position: 17,
    count: 1,
    text: 'messages 2:118 is not there',
  }
  const lines = auditText(
    report({
      balanced: false,
      units: hours.map((hour) => unit('support', hour, { problems: hour.endsWith('2110') ? 13 : 0 })),
      problems: Array.from({ length: 12 }, (_, at) => ({ ...problem, position: at })),
      problemCount: 13,
      tally: [{ kind: 'missing', where: 'sink:search', count: 13 }],
      stages: [{ stage: 'sink:search', behind: 0 }],
    }),
    plain,
  ).split('\n')
  assert.match(lines[2] ?? '', /^ {2}2026-11-21 .* 13 ✗$/)
  assert.match(lines[3] ?? '', /^ {4}2026112110 .* 13 ✗$/)
  assert.match(lines[4] ?? '', /^ {2}2026-11-22 .*[^✗]$/)
  const at = lines.indexOf('missing in sink:search: 13. Moved away while nothing runs, the store fills anew.')
  assert.deepEqual(lines.slice(at + 1, at + 4), [
    '  support 2026112110#0',
    '    easemob:acme#helpdesk:1287645',
    '    messages 2:118 is not there',
  ])
  assert.ok(lines.includes('  and 3 more: --json tells them'))
  assert.equal(lines.at(-2), 'Not balanced: 13 problems.')
})

test('of a stage that is behind it is told to run it, not to mend its store', () => {
  const text = auditText(
    report({
      balanced: false,
      problemCount: 1_300,
      tally: [{ kind: 'missing', where: 'sink:search', count: 1_300 }],
      stages: [
        { stage: 'dedup', behind: 0 },
        { stage: 'sink:search', behind: 1_300 },
      ],
    }),
    plain,
  )
  assert.match(text, /^missing in sink:search: 1,300$/m)
  assert.match(text, /^sink:search is 1,300 records behind and does not move: run chatfeed up\.$/m)
  assert.doesNotMatch(text, /dedup/)
})

test('with units every unit is shown, with its state where it is not published', () => {
  const units = [unit('support', '2026112110'), unit('support', '2026112111', { state: 'not_yet', lines: 0 })]
  const lines = auditText(report({ units }), { ...plain, units: true }).split('\n')
  assert.match(lines[3] ?? '', /^ {4}2026112110 {2}/)
  assert.match(lines[4] ?? '', /^ {4}2026112111 not_yet {2}/)
  assert.ok(lines.includes('Still to be read: 1 not yet there.'))
})

test('sinks that leave no room stand together, as the least of them', () => {
  const names = ['search', 'warehouse', 'archive', 'colleagues', 'statistics']
  const sinks = Object.fromEntries(names.map((name, at) => [name, 1_190 + at]))
  const [wide, narrow] = [200, 80].map((columns) =>
    auditText(report({ units: [unit('support', '2026112110', { sinks })] }), { ...plain, columns }).split(
      '\n',
    ),
  )
  assert.match(wide?.[0] ?? '', /search {2}warehouse {2}archive {2}colleagues {2}statistics$/)
  assert.match(narrow?.[0] ?? '', /dead {2}sinks$/)
  assert.match(narrow?.[1] ?? '', / 1,190$/)
  assert.ok(narrow?.every((line) => stringWidth(line) <= 80))
})

test('a sink that was not asked is no zero and no success', () => {
  const text = auditText(
    report({
      balanced: false,
      units: [unit('support', '2026112110', { sinks: { search: null } })],
      sinks: [
        {
          name: 'search',
          audited: false,
          askable: true,
          refused: 0,
          reason: 'its store is on another machine, or gone',
        },
      ],
    }),
    plain,
  )
  assert.match(text, /support, 1 unit .* –\n/)
  assert.match(text, /^sink search is not audited: its store is on another machine, or gone$/m)
  assert.match(text, /^Not balanced: not every sink could be asked\.\n$/m)
})

test('names from outside cannot steer the terminal', () => {
  const text = auditText(
    report({ units: [unit('support', 'import/\u001b[2J旧.gz', { problems: 1 })] }),
    plain,
  )
  assert.doesNotMatch(text, /\u001b/)
  const widths = text
    .split('\n')
    .slice(1, 4)
    .map((line) => stringWidth(line.replace(/ {2}1 ✗$/, '')))
  assert.equal(new Set(widths).size, 1, 'Chinese names keep the columns')
})

test('an audit of nothing says so', () => {
  assert.match(auditText(report(), plain), /^No units\.\n\nBalanced: 0 lines of 0 units/)
})
