import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyJson, copyText, copyTime, storable } from '../../../../src/sinks/postgres/copy-text.ts'
import { columnNames, toLine } from '../../../../src/sinks/postgres/row.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'

test('what would end a field or a row is escaped, and null is not a text', () => {
  assert.equal(copyText('a\tb\nc\rd\\e'), String.raw`a\tb\nc\rd\\e`)
  assert.equal(copyText(String.raw`\N`), String.raw`\\N`)
  assert.equal(copyText(null), String.raw`\N`)
  assert.equal(copyText(''), '')
  assert.equal(copyText('x\0y'), 'x\ufffdy')
})

test('JSON keeps every escape that jsonb takes, and loses what it does not take', () => {
  const cases: [json: string, kept: string][] = [
    [String.raw`"\u0000"`, String.raw`"\ufffd"`],
    [String.raw`"\\u0000"`, String.raw`"\\u0000"`], // a backslash and letters
    [String.raw`"\\\u0000"`, String.raw`"\\\ufffd"`],
    [String.raw`"\ud83d\ude00"`, String.raw`"\ud83d\ude00"`],
    [String.raw`"\ud83d"`, String.raw`"\ufffd"`],
    [String.raw`"\uDE00\ud83d"`, String.raw`"\ufffd\ufffd"`],
    [String.raw`"\ud83d\ud83d\ude00"`, String.raw`"\ufffd\ud83d\ude00"`],
    [String.raw`"\ud83d\n\ude00"`, String.raw`"\ufffd\n\ufffd"`],
    ['{"n":123456789012345678901234567890.10}', '{"n":123456789012345678901234567890.10}'],
  ]
  for (const [json, kept] of cases) assert.equal(copyJson(json), kept.replaceAll('\\', '\\\\'), json)
  assert.equal(copyJson(null), String.raw`\N`)
})

test('a time beyond the years 1 to 9999 is infinity', () => {
  assert.equal(copyTime(1_795_399_200_123), '2026-11-23T02:00:00.123Z')
  assert.equal(copyTime(0), '1970-01-01T00:00:00.000Z')
  assert.equal(copyTime(Date.parse('0001-01-01T00:00:00Z')), '0001-01-01T00:00:00.000Z')
  assert.equal(copyTime(Date.parse('0001-01-01T00:00:00Z') - 1), '-infinity')
  assert.equal(copyTime(Date.parse('9999-12-31T23:59:59.999Z')), '9999-12-31T23:59:59.999Z')
  assert.equal(copyTime(Date.parse('9999-12-31T23:59:59.999Z') + 1), 'infinity')
  assert.equal(copyTime(Number.MAX_SAFE_INTEGER), 'infinity')
  assert.equal(copyTime(Number.MIN_SAFE_INTEGER), '-infinity')
})

test('a text is looked for as it was stored', () => {
  assert.equal(storable('a\0b\ud83dc'), 'a\ufffdb\ufffdc')
  assert.equal(storable('👍🏽'), '👍🏽')
})

test('a line has a field for every column', () => {
  const attachment = {
    role: 'original',
    url: 'https://files.example/a\tb',
    resolvedUrl: 'https://files.example/a',
    name: 'half \ud83d',
    mimeType: null,
    size: 7,
    width: null,
    height: null,
    durationSeconds: null,
    state: 'linked',
    sha256: null,
    archiveKey: null,
  } as const
  const line = toLine(
    exampleMessage({
      text: 'one\ttwo\n',
      attachments: [attachment],
      location: { latitude: 31.2, longitude: -0, address: null },
    }),
  )
  assert.ok(line.endsWith('\n') && !line.slice(0, -1).includes('\n'))
  const fields = line.slice(0, -1).split('\t')
  assert.equal(fields.length, columnNames.length)
  const row = Object.fromEntries(columnNames.map((name, at) => [name, fields[at]]))
  assert.equal(row['sent_at'], '2026-11-23T02:00:00.000Z')
  assert.equal(row['text'], String.raw`one\ttwo\n`)
  assert.deepEqual([row['latitude'], row['longitude'], row['address']], ['31.2', '0', String.raw`\N`])
  assert.match(row['attachments'] ?? '', /a\\\\tb.*half \\\\ufffd/)
})
