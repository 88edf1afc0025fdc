import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import fc from 'fast-check'
import { ChatfeedError } from '../../../src/errors.ts'
import { headerBytes } from '../../../src/framing.ts'
import { rawMessageCodec } from '../../support/codecs.ts'
import { Outbox } from '../../../src/kafka/outbox.ts'
import { type RecordSet, RecordView } from '../../../src/kafka/record-set.ts'
import { metrics } from '../../../src/metrics.ts'
import type { RawMessage } from '../../../src/model.ts'
import { openDedup } from '../../../src/stages/dedup.ts'
import { type PlainRecord, plainRecords, rawRecord, recordSet, taken } from './records.ts'

const options = { codec: rawMessageCodec, unique: 'unique', dead: 'dead', windowMs: 86_400_000 }
const print = (text: string | number): Buffer => Buffer.from(String(text).padEnd(16, '.'))
const decoded = (records: readonly PlainRecord[]): RawMessage[] =>
  records.map(({ value }) => rawMessageCodec.decode(value ?? Buffer.alloc(0)))

/** What one task passes of these records. */
function passed(records: readonly PlainRecord[]): RawMessage[] {
  const out = new Outbox(3)
  void openDedup(options).process(recordSet(records), out)
  return decoded(plainRecords(taken(out).unique))
}

async function duplicates(reason: string): Promise<number> {
  const { values } = await metrics.duplicates.get()
  return values.find(({ labels }) => labels.reason === reason)?.value ?? 0
}

test('the first record of each content passes, numbered from 1; repeats do not', () => {
  const one = rawRecord({ id: 'a', fingerprint: print('x') })
  const two = rawRecord({ id: 'b', fingerprint: print('x') })
  const three = rawRecord({ id: 'a', fingerprint: print('y'), fetchedAt: 2_000 })
  assert.deepEqual(
    passed([one, one, two, three, one, two, three]).map(({ id, revision }) => `${id}${revision}`),
    ['a1', 'b1', 'a2'],
  )
})

test('a message that goes back to an earlier content does not become a third revision', () => {
  const states = ['visible', 'deleted', 'visible', 'deleted'].map((state, at) =>
    rawRecord({ id: 'a', fingerprint: print(state), fetchedAt: 1_000 + at }),
  )
  assert.deepEqual(
    passed(states).map(({ revision }) => revision),
    [1, 2],
  )
})

test('a stale copy is left out, and counted apart from repeats', async () => {
  const [repeats, stale] = [await duplicates('repeat'), await duplicates('stale')]
  const now = rawRecord({ id: 'a', fingerprint: print('new'), fetchedAt: 2_000 })
  const old = rawRecord({ id: 'a', fingerprint: print('old'), fetchedAt: 1_999 })
  assert.equal(passed([now, old, now, now]).length, 1)
  assert.equal(await duplicates('stale'), stale + 1)
  assert.equal(await duplicates('repeat'), repeats + 2)
})

test('a line without an id in an older file of the same name is no stale copy of the newer line', () => {
  const id = 'easemob:acme#helpdesk:import/history.ndjson#2'
  const line = { id, tenant: 'acme#helpdesk', origin: 'import/history.ndjson#2' }
  const newer = rawRecord({ ...line, fingerprint: print('{broken a'), fetchedAt: 2_000 })
  const older = rawRecord({ ...line, fingerprint: print('{broken b'), fetchedAt: 1_000 })
  assert.deepEqual(
    passed([newer, older, newer, older]).map(({ revision }) => revision),
    [1, 2],
  )
})

test('key and payload go through untouched, and nothing but the revision changes, also beyond 63', () => {
  const payload = Buffer.from([0, 0xff, 0x7f, 0x80, 0x0a, 0xc3, 0x28])
  const records = Array.from({ length: 200 }, (_, at) =>
    rawRecord({ id: 'a', fingerprint: print(at), fetchedAt: at, payload, sentAt: -1 }),
  )
  const out = new Outbox(3)
  void openDedup(options).process(recordSet(records), out)
  const passedRecords = plainRecords(taken(out).unique)
  assert.equal(passedRecords.length, 200)
  for (const [at, { key, value }] of passedRecords.entries()) {
    assert.deepEqual(key, Buffer.from('a'))
    const before = rawMessageCodec.decode(records[at]!.value!)
    assert.deepEqual(value, rawMessageCodec.encode({ ...before, revision: at + 1 }))
  }
})

test('a value that cannot be opened goes to dead whole, with where it lay; its neighbours pass', () => {
  const good = rawRecord({ id: 'a', fingerprint: print('x') })
  const broken = { key: Buffer.from('b'), value: Buffer.from('{"msg_id": "no envelope"}') }
  const cut = { key: Buffer.from('c'), value: good.value!.subarray(0, headerBytes + 5) }
  const other = rawRecord({ id: 'd', fingerprint: print('x') })
  const out = new Outbox(3)
  void openDedup(options).process(recordSet([good, broken, cut, other]), out)
  const { unique, dead } = taken(out)
  assert.deepEqual(
    decoded(plainRecords(unique)).map(({ id }) => id),
    ['a', 'd'],
  )
  const [first, second] = plainRecords(dead)
  assert.deepEqual({ key: first?.key, value: first?.value }, broken)
  assert.deepEqual(first?.headers, {
    'chatfeed.error.code': 'unknown_schema',
    'chatfeed.error.stage': 'dedup',
    'chatfeed.error.reason': 'The value is not a chatfeed.RawMessage that this version reads.',
    'chatfeed.error.topic': 'raw.easemob',
    'chatfeed.error.partition': '3',
    'chatfeed.error.offset': '101',
    'chatfeed.origin': '',
  })
  assert.equal(second?.headers['chatfeed.error.code'], 'broken_value')
  assert.equal(second?.headers['chatfeed.error.offset'], '102')
})

test('a record without key or value goes to dead and its neighbours pass', () => {
  const good = rawRecord({ id: 'a', fingerprint: print('x') })
  const out = new Outbox(3)
  const none = Buffer.from('b')
  void openDedup(options).process(
    recordSet([{ key: null, value: good.value }, { key: none, value: null }, good]),
    out,
  )
  const { unique, dead } = taken(out)
  assert.equal(plainRecords(unique).length, 1)
  const [keyless, valueless] = plainRecords(dead)
  assert.equal(keyless?.headers['chatfeed.error.code'], 'no_value')
  assert.deepEqual(keyless?.value, good.value)
  assert.deepEqual([valueless?.key, valueless?.value], [none, null])
})

test('a record that left the window is new again', (t) => {
  mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  t.after(() => {
    mock.timers.reset()
  })
  const task = openDedup({ ...options, windowMs: 1_000 })
  const pass = () => {
    const out = new Outbox(3)
    void task.process(recordSet([rawRecord({ id: 'a', fingerprint: print('x') })]), out)
    return plainRecords(taken(out).unique).length
  }
  assert.equal(pass(), 1)
  mock.timers.setTime(1_000_999)
  assert.equal(pass(), 0)
  mock.timers.setTime(1_001_000)
  assert.equal(pass(), 1)
})

test('records that someone else wrote into unique do not keep the stage from starting', () => {
  const task = openDedup(options)
  const mine = rawRecord({ id: 'a', fingerprint: print('x'), revision: 1 })
  task.restore?.(recordSet([{ key: null, value: null }, { key: null, value: Buffer.from('?') }, mine]))
  const out = new Outbox(3)
  void task.process(recordSet([rawRecord({ id: 'a', fingerprint: print('x') })]), out)
  assert.deepEqual(out.take(), [])
})

test('after a restart revisions count on, also where retention has taken the first ones away', () => {
  const task = openDedup(options)
  task.restore?.(recordSet([rawRecord({ id: 'a', fingerprint: print('2'), fetchedAt: 2, revision: 2 })]))
  const out = new Outbox(3)
  void task.process(recordSet([rawRecord({ id: 'a', fingerprint: print('3'), fetchedAt: 3 })]), out)
  assert.deepEqual(
    decoded(plainRecords(taken(out).unique)).map(({ revision }) => revision),
    [3],
  )
})

test('whatever comes and wherever the task is started anew, unique is the same as without a restart', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    content: fc.integer({ min: 0, max: 3 }),
    fetchedAt: fc.integer({ min: 0, max: 6 }),
    restart: fc.boolean(),
    broken: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const run = (restarts: boolean): string[] => {
        let task = openDedup(options)
        const unique: RecordSet[] = []
        for (const { id, content, fetchedAt, restart, broken } of steps) {
          if (restart && restarts) {
            task = openDedup(options)
            for (const records of unique) task.restore?.(records)
          }
          const record = rawRecord({ id, fingerprint: print(content), fetchedAt })
          const out = new Outbox(3)
          void task.process(recordSet([broken ? { ...record, value: Buffer.from('?') } : record]), out)
          const set = taken(out).unique
          if (set) unique.push(set)
        }
        return unique
          .flatMap((records) => decoded(plainRecords(records)))
          .map(({ id, revision, fingerprint }) => `${id} ${revision} ${Buffer.from(fingerprint).toString()}`)
      }
      const straight = run(false)
      assert.deepEqual(run(true), straight)
      assert.equal(new Set(straight.map((line) => line.replace(/ \d+ /, ' '))).size, straight.length)
      assert.equal(
        new Set(straight.map((line) => line.slice(0, line.lastIndexOf(' ')))).size,
        straight.length,
      )
    }),
    { numRuns: 200 },
  )
})

test('the count of replays follows a record to unique or into its letter, and no other header does', () => {
  const headers = { 'chatfeed.replays': '2', foreign: 'x' }
  const out = new Outbox(3)
  void openDedup(options).process(
    recordSet([
      { ...rawRecord({ id: 'a', fingerprint: print('x') }), headers },
      { ...rawRecord({ id: 'b', fingerprint: print('x') }), headers: { 'chatfeed.replays': 'many' } },
      { key: Buffer.from('c'), value: Buffer.from('?'), headers },
    ]),
    out,
  )
  const { unique, dead } = taken(out)
  assert.deepEqual(
    plainRecords(unique).map((record) => record.headers),
    [{ 'chatfeed.replays': '2' }, {}],
  )
  const [letter] = plainRecords(dead)
  assert.equal(letter?.headers['chatfeed.replays'], '2')
  assert.equal(letter.headers['foreign'], undefined)
})

test('the headers of records that have none are never read', (t) => {
  const read = t.mock.method(RecordView.prototype, 'headers')
  const records = ['a', 'b', 'c'].map((id) => rawRecord({ id, fingerprint: print('x') }))
  const out = new Outbox(3)
  void openDedup(options).process(recordSet(records), out)
  assert.equal(read.mock.callCount(), 0)
  assert.equal(plainRecords(taken(out).unique).length, 3)
})

test('what was accepted cannot be read without the registry: dedup does not begin as if it were nothing', () => {
  const framed = Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.from('fields')])
  const task = openDedup(options)
  assert.throws(
    () =>
      task.restore?.(recordSet([{ key: Buffer.from('easemob:a:1'), value: framed }], { topic: 'unique' })),
    (error) =>
      error instanceof ChatfeedError && error.remedy === 'fatal' && /registry/.test(String(error.mend)),
  )
})
