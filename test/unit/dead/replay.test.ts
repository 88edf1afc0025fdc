import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecs, rawMessageCodec } from '../../support/codecs.ts'
import { foresee, type Replay, replayOf } from '../../../src/dead/replay.ts'
import { Outbox } from '../../../src/kafka/outbox.ts'
import type { RawMessage } from '../../../src/model.ts'
import { providersByName } from '../../../src/providers/index.ts'
import { easemob } from '../../../src/providers/easemob/index.ts'
import { openDedup } from '../../../src/stages/dedup.ts'
import { topicNames } from '../../../src/topics.ts'
import { type PlainRecord, plainRecords, rawRecord, recordSet, taken } from '../stages/records.ts'
import { dedupLetter, enrichLetter, readLetters } from './letters.ts'

const targets = { codecs, topics: topicNames('chatfeed.'), providers: providersByName }
const payload = Buffer.from(
  JSON.stringify({
    msg_id: '77',
    timestamp: 1_795_600_000_123,
    direction: 'outgoing',
    chat_type: 'chat',
    from: 'li',
    to: 'wang',
    payload: { ext: {}, bodies: [{ msg: 'hello', type: 'txt' }], from: 'li', to: 'wang' },
  }),
)
const raw: RawMessage = {
  revision: 1,
  id: 'easemob:acme#helpdesk:77',
  provider: 'easemob',
  source: 'support',
  tenant: 'acme#helpdesk',
  origin: '2026112310#7',
  fingerprint: Buffer.from('0123456789abcdef'),
  sentAt: null,
  fetchedAt: 1_000,
  payload,
}

function replayed(letter: PlainRecord): Replay {
  const [read] = readLetters([letter])
  assert.ok(read)
  const replay = replayOf(read, targets)
  assert.ok(!('refusal' in replay), JSON.stringify(replay))
  return replay
}

function refusal(letter: PlainRecord): string {
  const [read] = readLetters([letter])
  assert.ok(read)
  const replay = replayOf(read, targets)
  assert.ok('refusal' in replay)
  return replay.refusal
}

const asRecord = ({ key, value, headers }: Replay): PlainRecord => ({
  key,
  value,
  headers: Object.fromEntries(headers.map((header) => [header.key, header.value])),
})

/** What dedup passes of these records, one after the other. */
function passed(records: readonly PlainRecord[]) {
  const out = new Outbox(3)
  void openDedup({ codec: rawMessageCodec, unique: 'unique', dead: 'dead', windowMs: 86_400_000 }).process(
    recordSet(records),
    out,
  )
  return plainRecords(taken(out).unique).map(({ value, headers }) => ({
    ...rawMessageCodec.decode(value ?? Buffer.alloc(0)),
    headers,
  }))
}

test('a replay is the raw message as it was, in its raw topic and under its id, but for the fingerprint', () => {
  const { topic, key, value, headers } = replayed(enrichLetter(raw))
  assert.equal(topic, 'chatfeed.raw.easemob')
  assert.equal(key.toString(), raw.id)
  assert.deepEqual(headers, [{ key: 'chatfeed.replays', value: Buffer.from('1') }])
  const { fingerprint, ...rest } = rawMessageCodec.decode(value)
  const { fingerprint: before, ...same } = raw
  assert.deepEqual({ ...rest, payload: Buffer.from(rest.payload) }, { ...same, revision: 0 })
  assert.equal(fingerprint.length, 16)
  assert.notDeepEqual(Buffer.from(fingerprint), before)
})

test('the fingerprint of a replay is the same for the same letter, and another for the next replay', () => {
  const print = (record: PlainRecord) =>
    Buffer.from(rawMessageCodec.decode(replayed(record).value).fingerprint).toString('hex')
  assert.equal(print(enrichLetter(raw)), print(enrichLetter(raw)))
  assert.notEqual(print(enrichLetter(raw)), print(enrichLetter(raw, 1)))
  assert.notEqual(print(enrichLetter(raw)), print(enrichLetter({ ...raw, fingerprint: Buffer.alloc(16) })))
})

test('dedup makes a replay the next revision, and one that is written twice passes once', () => {
  const replay = asRecord(replayed(enrichLetter(raw)))
  const revisions = passed([rawRecord({ ...raw, revision: 0 }), replay, replay]).map(
    ({ revision, headers }) => ({ revision, replays: headers['chatfeed.replays'] }),
  )
  assert.deepEqual(revisions, [
    { revision: 1, replays: undefined },
    { revision: 2, replays: '1' },
  ])
})

test('a newer content that came meanwhile wins over a replay', () => {
  const newer = rawRecord({ ...raw, revision: 0, fingerprint: Buffer.alloc(16, 7), fetchedAt: 1_001 })
  const all = passed([rawRecord({ ...raw, revision: 0 }), newer, asRecord(replayed(enrichLetter(raw)))])
  assert.deepEqual(
    all.map(({ revision, fetchedAt }) => [revision, fetchedAt]),
    [
      [1, 1_000],
      [2, 1_001],
    ],
  )
})

test('a record that was filed under its place gets the id that is found now, and is like any other copy', () => {
  const replay = replayed(enrichLetter({ ...raw, id: 'easemob:acme#helpdesk:2026112310#7' }))
  assert.equal(replay.key.toString(), raw.id)
  const { id, fingerprint, sentAt } = rawMessageCodec.decode(replay.value)
  assert.deepEqual([id, sentAt], [raw.id, 1_795_600_000_123])
  assert.deepEqual(Buffer.from(fingerprint), easemob.identify(payload).fingerprint)
})

test('a record in which still no id is found keeps its place as its id, and is a new content of it', () => {
  const placed = { ...raw, id: 'easemob:acme#helpdesk:2026112310#7', payload: Buffer.from('{"oops') }
  const replay = replayed(enrichLetter(placed))
  assert.equal(replay.key.toString(), placed.id)
  assert.equal(passed([rawRecord({ ...placed, revision: 0 }), asRecord(replay)]).length, 2)
})

test('an id that was found before stays, whatever is found now', () => {
  const replay = replayed(enrichLetter({ ...raw, id: 'easemob:acme#helpdesk:76' }))
  assert.equal(replay.key.toString(), 'easemob:acme#helpdesk:76')
})

test('a letter of dedup goes back to where it lay, byte for byte', () => {
  const [key, value] = [Buffer.from([0xff, 0x00]), Buffer.from([0, 1, 0xfe])]
  const replay = replayed(dedupLetter(key, value, 'chatfeed.raw.polyv'))
  assert.deepEqual(replay, {
    topic: 'chatfeed.raw.polyv',
    key,
    value,
    headers: [{ key: 'chatfeed.replays', value: Buffer.from('1') }],
  })
})

test('what cannot be put back is refused with the reason, and never goes to a topic of no provider', () => {
  const some = Buffer.from('x')
  assert.match(refusal(dedupLetter(null, some)), /no key or no value/)
  assert.match(refusal(dedupLetter(some, null)), /no key or no value/)
  assert.match(refusal(dedupLetter(some, some, 'chatfeed.unique')), /no raw topic/)
  assert.match(refusal({ key: some, value: some }), /no raw topic/)
  assert.match(refusal(enrichLetter({ ...raw, provider: 'qqx' })), /knows no provider qqx/)
})

test('it is foreseen whether this version understands a letter now', () => {
  assert.equal(foresee(replayed(enrichLetter(raw)), targets), 'understood')
  assert.equal(foresee(replayed(enrichLetter({ ...raw, payload: Buffer.from('{') })), targets), 'not_json')
  assert.equal(foresee(replayed(dedupLetter(Buffer.from('k'), Buffer.from('?'))), targets), 'unknown_schema')
})
