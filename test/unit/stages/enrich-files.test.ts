import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, type Outcome } from '../../../src/attachments/outcome.ts'
import type { Asker } from '../../../src/attachments/resolver.ts'
import { Outbox } from '../../../src/kafka/outbox.ts'
import type { StageTask } from '../../../src/kafka/task.ts'
import type { Attachment } from '../../../src/model.ts'
import { linkedAttachment } from '../../../src/providers/attachment.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import { openEnrich } from '../../../src/stages/enrich.ts'
import { codecs, messageCodec, rawMessageCodec } from '../../support/codecs.ts'
import { openEnrichWithFiles } from '../../../src/stages/enrich-files.ts'
import type { PendingFiles } from '../../../src/stages/pending-files.ts'
import { until } from '../../support/kafka.ts'
import { message } from '../samples.ts'
import { type PlainRecord, plainRecords, rawRecord, recordSet, taken } from './records.ts'

const found: Outcome = { state: 'available', reason: null, retry: false, size: 9 }
const gone: Outcome = { state: 'gone', reason: 'status_404', retry: false }

/** A provider whose payloads are JSON lists of links. */
const understand: Provider['understand'] = (payload) => ({
  ...message,
  attachments: (JSON.parse(payload.toString()) as string[]).map((url) => linkedAttachment(url)),
})
const providers = new Map([['easemob', { name: 'easemob', understand } as Provider]])
const topics = { messages: 'messages', dead: 'dead', unique: 'unique', attachments: 'attachments' }

const withFiles = (id: string, ...urls: string[]): PlainRecord =>
  rawRecord({ id, revision: 1, fetchedAt: 77, payload: Buffer.from(JSON.stringify(urls)) })

interface Scene {
  task: StageTask
  asked: string[]
  /** Takes records of `unique` in, from offset 100 on. */
  take: (this: void, records: readonly PlainRecord[]) => Promise<ReturnType<typeof written>>
  /** Ticks until something is written. */
  ticked: (this: void) => Promise<ReturnType<typeof written>>
  stop: AbortController
}

function scene(
  answer: (attachment: Attachment, asker: Asker, signal: AbortSignal) => Outcome | Promise<Outcome>,
  { timeoutMs = 10_000, retryAfterMs = 0, keepMs = 60_000 } = {},
): Scene {
  const asked: string[] = []
  const stop = new AbortController()
  const unique: PlainRecord[] = []
  const out = new Outbox(3)
  const task = openEnrichWithFiles(
    {
      ...topics,
      codecs,
      providers,
      raw: (provider) => `raw.${provider}`,
      timeoutMs,
      retryAfterMs,
      keepMs,
      resolve(attachment, asker, signal) {
        asked.push(`${asker.urgency} ${attachment.url}`)
        return Promise.resolve(answer(attachment, asker, signal))
      },
    },
    {
      signal: stop.signal,
      async *read(topic, from, to) {
        assert.equal(topic, 'unique')
        const records = unique.slice(from - 100, to - 100)
        if (records.length > 0) yield await Promise.resolve(recordSet(records, { topic, baseOffset: from }))
      },
    },
  )
  return {
    task,
    asked,
    stop,
    async take(records) {
      const baseOffset = 100 + unique.length
      unique.push(...records)
      await task.process(recordSet(records, { topic: 'unique', baseOffset }), out)
      return written(out)
    },
    async ticked() {
      let what = written(out)
      await until('something is written', () => {
        task.tick?.(out)
        what = written(out)
        return what.pending.length + what.raw.length > 0
      })
      return what
    },
  }
}

function written(out: Outbox) {
  const topic = taken(out)
  const of = (name: string) => plainRecords(topic[name])
  return {
    messages: of('messages').map(({ value }) => messageCodec.decode(value ?? Buffer.alloc(0))),
    dead: of('dead'),
    raw: of('raw.easemob'),
    pending: of('attachments').map(({ key, value }) => ({
      id: key?.toString(),
      entry: value && (JSON.parse(value.toString()) as PendingFiles),
    })),
  }
}

const states = (messages: readonly { attachments: readonly Attachment[] }[]): string =>
  messages.map(({ attachments }) => attachments.map(({ state }) => state).join('+')).join(' ')

test('attachments of a set are asked for side by side, and messages written in their order', async () => {
  let waiting = 0
  let all = () => {}
  const together = new Promise<void>((resolve) => (all = resolve))
  const { take } = scene(async () => {
    if (++waiting === 3) all()
    await together
    return found
  })
  const bad = rawRecord({ id: 'x', payload: Buffer.from('no list') })
  const { messages, dead, pending } = await take([
    withFiles('a', 'l1'),
    withFiles('b'),
    bad,
    withFiles('c', 'l2', 'l3'),
  ])
  assert.deepEqual(
    messages.map(({ id }) => id),
    ['a', 'b', 'c'],
  )
  assert.equal(states(messages), 'available  available+available')
  assert.equal(messages[0]?.attachments[0]?.size, 9)
  assert.equal(dead.length, 1)
  assert.deepEqual(pending, [])
})

test('the same link twice in a message is asked for once', async () => {
  const { take, asked } = scene(() => found)
  const { messages } = await take([withFiles('a', 'l1', 'l1')])
  assert.equal(states(messages), 'available+available')
  assert.deepEqual(asked, ['now l1'])
})

test('what is not there in time is failed, and holds up its set no longer', async () => {
  const { take } = scene(
    ({ url }, _asker, signal) =>
      url === 'slow'
        ? new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              resolve(failed('not_in_time'))
            })
          })
        : found,
    { timeoutMs: 50, retryAfterMs: 60_000, keepMs: 600_000 },
  )
  const { messages, pending } = await take([withFiles('a', 'l1'), withFiles('b', 'slow'), withFiles('c')])
  assert.equal(states(messages), 'available failed ')
  assert.deepEqual(
    pending.map(({ id, entry }) => [id, entry?.offset, entry?.attempts]),
    [['b', 101, 1]],
  )
})

test('a task that is told to end writes nothing of a set it waits for', async () => {
  const { take, stop } = scene(
    (_attachment, _asker, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve(failed('not_in_time'))
        })
      }),
  )
  const taking = take([withFiles('a', 'l1')])
  stop.abort(new Error('told to end'))
  await assert.rejects(taking, /told to end/)
})

test('news go back to raw as a new content of the same age, with what is known; enrich does not ask again', async () => {
  let answer = failed('status_503')
  const { take, ticked, asked } = scene(({ url }) => (url === 'l1' ? found : answer))
  const first = withFiles('a', 'l1', 'l2')
  const before = await take([first])
  assert.equal(states(before.messages), 'available+failed')
  answer = gone
  const { raw, pending } = await ticked()
  assert.deepEqual(pending, [{ id: 'a', entry: null }])
  assert.equal(raw.length, 1)
  const [record] = raw
  const old = rawMessageCodec.decode(first.value!)
  const { fingerprint, ...same } = rawMessageCodec.decode(record!.value!)
  const { fingerprint: oldFingerprint, ...oldSame } = old
  assert.deepEqual(same, { ...oldSame, revision: 0 })
  assert.notDeepEqual(fingerprint, oldFingerprint)
  assert.deepEqual(asked, ['now l1', 'now l2', 'later l2'])

  const again = await take([{ key: first.key, value: record!.value, headers: record!.headers }])
  assert.equal(states(again.messages), 'available+gone')
  assert.equal(asked.length, 3, 'nobody was asked again')
  assert.deepEqual(again.pending, [])
})

test('the same news make the same content, others another', async () => {
  const fingerprintOf = async (outcome: Outcome) => {
    let answer = failed('x')
    const { take, ticked } = scene(() => answer)
    await take([withFiles('a', 'l1')])
    answer = outcome
    return rawMessageCodec.decode((await ticked()).raw[0]!.value!).fingerprint
  }
  const [one, same, other] = await Promise.all([
    fingerprintOf(found),
    fingerprintOf(found),
    fingerprintOf(gone),
  ])
  assert.deepEqual(one, same)
  assert.notDeepEqual(one, other)
})

test('an attempt without news waits longer, and the last one is the last', async () => {
  const { take, ticked } = scene(() => failed('status_503'), { retryAfterMs: 100, keepMs: 1_000 })
  const before = Date.now()
  const { pending } = await take([withFiles('a', 'l1')])
  const waits = [pending[0]!.entry!.nextTryAt - before]
  let last = await ticked()
  assert.equal(last.pending[0]?.entry?.attempts, 2)
  waits.push(last.pending[0].entry.nextTryAt - Date.now())
  assert.ok(waits[0]! >= 85 && waits[0]! <= 130 && waits[1]! >= 300 && waits[1]! <= 450, waits.join())
  last = await ticked()
  assert.deepEqual(last.pending, [{ id: 'a', entry: null }])
  assert.deepEqual(last.raw, [])
})

test('a newer revision takes the place of what was to be tried, also of an attempt under way', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const { take, task, asked } = scene(async ({ url }, { urgency }) => {
    if (urgency === 'later') await held
    return url === 'l1' && urgency === 'now' ? failed('x') : found
  })
  await take([withFiles('a', 'l1')])
  const out = new Outbox(3)
  await until('it is asked again', () => {
    task.tick?.(out)
    return asked.includes('later l1')
  })
  const newer = await take([withFiles('a', 'l2')])
  assert.deepEqual(newer.pending, [{ id: 'a', entry: null }])
  release()
  await task.close?.()
  task.tick?.(out)
  assert.deepEqual(written(out).raw, [])
})

test('what is to be tried is known again after a restart, from its topic', async () => {
  const before = scene(() => failed('x'))
  const { pending } = await before.take([withFiles('a', 'l1'), withFiles('b', 'l2')])
  const kept = pending.map(({ id, entry }) => ({
    key: Buffer.from(id!),
    value: Buffer.from(JSON.stringify(entry)),
  }))
  const after = scene(() => found)
  await after.take([withFiles('a', 'l1')]) // lies at the same place
  after.task.restore?.(
    recordSet([
      ...kept,
      { key: Buffer.from('b'), value: null },
      { key: Buffer.from('c'), value: Buffer.from('{') },
    ]),
  )
  const { raw } = await after.ticked()
  assert.deepEqual(
    raw.map(({ key }) => key?.toString()),
    ['a'],
  )
})

test('a record that lies there no longer is not tried again', async () => {
  const { task, ticked } = scene(() => found)
  const entry: PendingFiles = {
    offset: 4_711,
    nextTryAt: 0,
    attempts: 1,
    firstTriedAt: Date.now(),
    outcomes: {},
  }
  task.restore?.(recordSet([{ key: Buffer.from('a'), value: Buffer.from(JSON.stringify(entry)) }]))
  assert.deepEqual((await ticked()).pending, [{ id: 'a', entry: null }])
})

test('what was asked for before the mode became link is still told', async () => {
  let answer = failed('x')
  const { take, ticked } = scene(() => answer)
  const first = withFiles('a', 'l1')
  await take([first])
  answer = found
  const { raw } = await ticked()
  const out = new Outbox(3)
  void openEnrich({ ...topics, codecs, providers }).process(
    recordSet([{ key: first.key, value: raw[0]!.value, headers: raw[0]!.headers }], { topic: 'unique' }),
    out,
  )
  assert.equal(states(written(out).messages), 'available')
})
