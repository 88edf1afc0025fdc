import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Letter } from '../../../src/dead/letter.ts'
import { ChatfeedError } from '../../../src/errors.ts'
import { Outbox } from '../../../src/kafka/outbox.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import { openEnrich } from '../../../src/stages/enrich.ts'
import { rawRecord, recordSet, taken } from '../stages/records.ts'
import { rawMessage } from '../samples.ts'
import { dedupLetter, enrichLetter, readLetters } from './letters.ts'
import { codecs } from '../../support/codecs.ts'

test('a letter that enrich has written tells all about itself, and gives the raw message back', () => {
  const understand = () => {
    throw new ChatfeedError('message', 'not_json', 'The record is not JSON.')
  }
  const raw = { ...rawMessage, revision: 2 }
  const before = Date.now()
  const out = new Outbox(3)
  void openEnrich({
    codecs,
    messages: 'messages',
    dead: 'dead',
    providers: new Map([['easemob', { understand } as unknown as Provider]]),
  }).process(
    recordSet([{ ...rawRecord(raw), headers: { 'chatfeed.replays': '2' } }], { topic: 'unique' }),
    out,
  )
  const [letter] = Array.from(taken(out).dead ?? [], (record) => new Letter(codecs, 5, record))
  const { at, ...summary } = letter?.summary() ?? assert.fail()
  assert.ok(at >= before && at <= Date.now())
  assert.deepEqual(summary, {
    id: raw.id,
    address: '5:0',
    code: 'not_json',
    stage: 'enrich',
    reason: 'The record is not JSON.',
    origin: '2026112310#7',
    source: 'support',
    topic: 'unique',
    partition: 3,
    offset: 100,
    replays: 2,
  })
  const found = letter?.raw()
  assert.deepEqual(found && { ...found, payload: Buffer.from(found.payload) }, raw)
})

test('a letter without key, and a record that someone else wrote into dead, can be listed', () => {
  const [keyless, foreign] = readLetters([
    dedupLetter(null, Buffer.from('?')),
    { key: Buffer.from('k'), value: Buffer.from('v') },
  ])
  assert.deepEqual(
    [keyless?.id, keyless?.address, keyless?.summary().code],
    [null, '3:100', 'unknown_schema'],
  )
  assert.deepEqual([foreign?.id, foreign?.address, foreign?.summary().code], ['k', '3:101', ''])
  assert.deepEqual([keyless?.raw(), foreign?.raw()], [null, null])
})

test('an envelope of another version, and a count of replays that is none, do not hide a letter', () => {
  const { headers, ...record } = enrichLetter(rawMessage)
  const [letter] = readLetters([
    { ...record, headers: { ...headers, 'chatfeed.envelope': 'v9', 'chatfeed.replays': '-1 or so' } },
  ])
  const { source, replays, code } = letter?.summary() ?? {}
  assert.deepEqual([source, replays, code], [null, 0, 'not_known_yet'])
})
