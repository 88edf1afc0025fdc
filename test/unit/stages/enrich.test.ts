import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageCodec, rawMessageCodec, codecs } from '../../support/codecs.ts'
import { ChatfeedError } from '../../../src/errors.ts'
import { Outbox } from '../../../src/kafka/outbox.ts'
import { providersByName } from '../../../src/providers/index.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import { openEnrich } from '../../../src/stages/enrich.ts'
import { message } from '../samples.ts'
import { type PlainRecord, plainRecords, rawRecord, recordSet, taken } from './records.ts'

/** A provider that understands `{}` and answers everything else as told. */
function fake(onOther: (payload: Buffer) => never): ReadonlyMap<string, Provider> {
  const understand: Provider['understand'] = (payload) =>
    payload.toString() === '{}' ? message : onOther(payload)
  return new Map([['easemob', { name: 'easemob', understand } as Provider]])
}

function enriched(records: readonly PlainRecord[], providers = providersByName) {
  const out = new Outbox(3)
  void openEnrich({ codecs, messages: 'messages', dead: 'dead', providers }).process(
    recordSet(records, { topic: 'unique' }),
    out,
  )
  const { messages, dead } = taken(out)
  return {
    messages: plainRecords(messages).map(({ value }) => messageCodec.decode(value ?? Buffer.alloc(0))),
    dead: plainRecords(dead),
  }
}

const good = rawRecord({ id: 'easemob:acme#helpdesk:1', revision: 2, origin: 'u#1', fetchedAt: 77 })
const bad = rawRecord({
  id: 'easemob:acme#helpdesk:2',
  revision: 1,
  origin: '2026112310#9',
  payload: Buffer.from([0x7b, 0xff, 0x00]),
})

test('a message keeps id, revision, source, origin and times of its raw record', () => {
  const before = Date.now()
  const { messages, dead } = enriched(
    [good],
    fake(() => assert.fail()),
  )
  assert.equal(dead.length, 0)
  const [found] = messages
  assert.deepEqual(
    [found?.id, found?.revision, found?.source, found?.tenant, found?.origin, found?.fetchedAt],
    ['easemob:acme#helpdesk:1', 2, 'support', 'acme#helpdesk', 'u#1', 77],
  )
  assert.ok(found && found.enrichedAt >= before && found.enrichedAt <= Date.now())
})

test('a real payload of each provider becomes a message', () => {
  const easemob = {
    msg_id: '1287645',
    timestamp: 1_795_600_000_123,
    direction: 'outgoing',
    chat_type: 'chat',
    from: 'li',
    to: 'wang',
    payload: { ext: {}, bodies: [{ msg: '你好', type: 'txt' }], from: 'li', to: 'wang' },
  }
  const { messages, dead } = enriched([
    rawRecord({ id: 'easemob:acme#helpdesk:1287645', payload: Buffer.from(JSON.stringify(easemob)) }),
  ])
  assert.equal(dead.length, 0)
  assert.equal(messages[0]?.text, '你好')
  assert.equal(messages[0]?.conversation.id, 'li|wang')
})

test('a payload that is refused goes to dead as it came, with headers and envelope; neighbours pass', () => {
  const { messages, dead } = enriched(
    [good, bad, good],
    fake(() => {
      throw new ChatfeedError('message', 'not_json', 'The record is not JSON.')
    }),
  )
  assert.equal(messages.length, 2)
  assert.equal(dead.length, 1)
  const { 'chatfeed.envelope': envelope, ...headers } = dead[0]?.headers ?? {}
  assert.deepEqual(dead[0]?.key, bad.key)
  assert.deepEqual(dead[0]?.value, Buffer.from([0x7b, 0xff, 0x00]))
  assert.deepEqual(headers, {
    'chatfeed.error.code': 'not_json',
    'chatfeed.error.stage': 'enrich',
    'chatfeed.error.reason': 'The record is not JSON.',
    'chatfeed.error.topic': 'unique',
    'chatfeed.error.partition': '3',
    'chatfeed.error.offset': '101',
    'chatfeed.origin': '2026112310#9',
  })
  const raw = rawMessageCodec.decode(Buffer.from(envelope ?? '', 'latin1'))
  const whole = rawMessageCodec.encode({ ...raw, payload: dead[0]?.value ?? Buffer.alloc(0) })
  assert.deepEqual(whole, bad.value, 'envelope and value make the raw record again')
})

test('a payload that trips the code over is dead as not_understood, without its text in the reason', () => {
  const { messages, dead } = enriched(
    [bad, good],
    fake(() => {
      throw new TypeError('Cannot read properties of 今晚八点')
    }),
  )
  assert.equal(messages.length, 1)
  assert.equal(dead[0]?.headers['chatfeed.error.code'], 'not_understood')
  assert.equal(dead[0]?.headers['chatfeed.error.reason'], 'The record could not be read (TypeError).')
})

test('a message that does not fit its schema is dead, not half written', () => {
  const providers = new Map([
    ['easemob', { name: 'easemob', understand: () => ({ ...message, kind: 'smoke' }) } as never],
  ])
  const { messages, dead } = enriched([good], providers)
  assert.equal(messages.length, 0)
  assert.equal(dead[0]?.headers['chatfeed.error.code'], 'not_understood')
})

test('a raw record of an unknown provider, or that is none, is dead', () => {
  const stranger = rawRecord({ id: 'x:y:1', provider: 'x', tenant: 'y' })
  const noEnvelope = { key: Buffer.from('k'), value: Buffer.from('plain text') }
  const { dead } = enriched([stranger, noEnvelope, { key: Buffer.from('k'), value: null }])
  assert.deepEqual(
    dead.map(({ headers }) => headers['chatfeed.error.code']),
    ['unknown_provider', 'unknown_schema', 'unknown_schema'],
  )
  assert.deepEqual(dead[1]?.value, noEnvelope.value)
  assert.equal(dead[1]?.headers['chatfeed.envelope'], undefined)
})

test('the count of replays goes into the letter of a record that dies again, and not into messages', () => {
  const headers = { 'chatfeed.replays': '1' }
  const out = new Outbox(3)
  const providers = fake(() => {
    throw new ChatfeedError('message', 'not_json', 'The record is not JSON.')
  })
  void openEnrich({ codecs, messages: 'messages', dead: 'dead', providers }).process(
    recordSet([good, bad].map((record) => ({ ...record, headers }))),
    out,
  )
  const { messages, dead } = taken(out)
  assert.deepEqual(plainRecords(messages)[0]?.headers, {})
  assert.equal(plainRecords(dead)[0]?.headers['chatfeed.replays'], '1')
})
