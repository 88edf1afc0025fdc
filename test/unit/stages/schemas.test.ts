import assert from 'node:assert/strict'
import { test } from 'node:test'
import avsc from 'avsc'
import { Codecs } from '../../../src/codecs.ts'
import { ChatfeedError } from '../../../src/errors.ts'
import { idHeader, singleObjectHeader } from '../../../src/framing.ts'
import { Outbox } from '../../../src/kafka/outbox.ts'
import { ownValue } from '../../../src/own-record.ts'
import { providersByName } from '../../../src/providers/index.ts'
import { schemaWanted } from '../../../src/registry/late-schemas.ts'
import { openDedup } from '../../../src/stages/dedup.ts'
import { openEnrich } from '../../../src/stages/enrich.ts'
import { codecs as plainCodecs } from '../../support/codecs.ts'
import { withField, without } from '../../support/schema-change.ts'
import { message, rawMessage } from '../samples.ts'
import { plainRecords, recordSet, taken } from './records.ts'

const older = without('raw-message', 'sentAt')
const newer = withField('raw-message', 'lane')
const ids = { 'raw-message': 1, message: 2, 'ledger-entry': 3, 'unread-count': 4 }
const wanted = (id: number) => schemaWanted(id, 'it is being asked for')
const codecs = new Codecs(
  {
    ids,
    former: [older],
    known: [
      [8, older],
      [9, newer],
    ],
  },
  wanted,
)
const typeOf = (text: string) => avsc.Type.forSchema(JSON.parse(text) as avsc.Schema)
const key = Buffer.from(rawMessage.id)

/** The record of a raw message as a program with another schema wrote it. */
const written = (header: Buffer, text: string, id: string) => ({
  key: Buffer.from(id),
  value: Buffer.concat([header, typeOf(text).toBuffer({ lane: 'fast', ...rawMessage, id, revision: 0 })]),
})
const options = { codec: codecs.rawMessage, unique: 'unique', dead: 'dead', windowMs: 86_400_000 }

test('what another schema wrote is passed on under our header, with bytes that belong to it', () => {
  const given = [
    written(idHeader(8), older, 'a'),
    written(idHeader(9), newer, 'b'),
    written(singleObjectHeader(typeOf(older)), older, 'c'),
    { key, value: Buffer.from(plainCodecs.rawMessage.encode({ ...rawMessage, revision: 0 })) },
    {
      key: Buffer.from('d'),
      value: Buffer.from(codecs.rawMessage.encode({ ...rawMessage, id: 'd', revision: 0 })),
    },
  ]
  const out = new Outbox(3)
  void openDedup(options).process(recordSet([...given, ...given]), out)
  const passed = plainRecords(taken(out).unique).map(({ value }) => value!)
  const ours = (id: string, sentAt: number | null) =>
    Buffer.from(codecs.rawMessage.encode({ ...rawMessage, id, sentAt, revision: 1 }))
  assert.deepEqual(passed, [
    ours('a', null),
    ours('b', rawMessage.sentAt),
    ours('c', null),
    ours(rawMessage.id, rawMessage.sentAt),
    ours('d', rawMessage.sentAt),
  ])
})

test('dedup recognises a repeat whatever schema and framing it has, also after it began anew', () => {
  const records = [
    { key, value: Buffer.from(codecs.rawMessage.encode(rawMessage)) },
    written(idHeader(9), newer, rawMessage.id),
    { key, value: Buffer.from(plainCodecs.rawMessage.encode(rawMessage)) },
  ]
  for (const first of records) {
    const task = openDedup(options)
    task.restore?.(recordSet([first], { topic: 'unique' }))
    const out = new Outbox(3)
    void task.process(recordSet(records), out)
    assert.deepEqual(Object.keys(taken(out)), [])
  }
})

test('no record dies of a schema that is still being asked for: the stage begins anew', () => {
  const record = written(idHeader(77), newer, 'a')
  const isWanted = { remedy: 'transient', code: 'schema_wanted' }
  const out = new Outbox(3)
  assert.throws(() => openDedup(options).process(recordSet([record]), out), isWanted)
  assert.throws(() => openDedup(options).restore?.(recordSet([record], { topic: 'unique' })), isWanted)
  const enrich = openEnrich({ codecs, messages: 'messages', dead: 'dead', providers: providersByName })
  assert.throws(() => enrich.process(recordSet([record], { topic: 'unique' }), out), isWanted)
  assert.deepEqual(Object.keys(taken(out)), [])
  const records = recordSet([record], { topic: 'messages' })
  for (const view of records)
    assert.throws(() => ownValue(codecs.message, 'message', view, records), isWanted)
})

test('without a registry a record that names a schema of one dies with what to configure, or stops its reader', () => {
  const value = Buffer.from(codecs.rawMessage.encode(rawMessage))
  const out = new Outbox(3)
  void openDedup({ ...options, codec: plainCodecs.rawMessage }).process(recordSet([{ key, value }]), out)
  const [letter] = plainRecords(taken(out).dead)
  assert.equal(letter?.headers['chatfeed.error.code'], 'registry_needed')
  assert.match(letter.headers['chatfeed.error.reason'] ?? '', /registry\.url/)
  assert.deepEqual(letter.value, value)
  const framed = Buffer.from(codecs.message.encode(message))
  const records = recordSet([{ key, value: framed }], { topic: 'messages' })
  for (const view of records)
    assert.throws(
      () => ownValue(plainCodecs.message, 'message', view, records),
      (error) =>
        error instanceof ChatfeedError &&
        error.remedy === 'fatal' &&
        error.code === 'registry_needed' &&
        /messages, partition 3, offset 100/.test(error.message) &&
        /registry\.url/.test(error.mend ?? ''),
    )
})

test('the envelope of a dead letter is framed as all values are', () => {
  const out = new Outbox(3)
  const unreadable = { ...rawMessage, payload: Buffer.from('{') }
  const value = Buffer.from(codecs.rawMessage.encode(unreadable))
  const enrich = openEnrich({ codecs, messages: 'messages', dead: 'dead', providers: providersByName })
  void enrich.process(recordSet([{ key, value }], { topic: 'unique' }), out)
  const [letter] = plainRecords(taken(out).dead)
  const envelope = Buffer.from(letter?.headers['chatfeed.envelope'] ?? '', 'latin1')
  assert.deepEqual(envelope, codecs.rawMessage.encode({ ...rawMessage, payload: Buffer.alloc(0) }))
})
