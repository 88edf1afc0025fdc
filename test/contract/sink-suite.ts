import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ChatfeedError, isTransient } from '../../src/errors.ts'
import type { Message } from '../../src/model.ts'
import type { RevisionReader, Sink } from '../../src/sinks/sink.ts'
import type { OpenOptions } from '../support/sink-context.ts'
import { messageSet } from '../support/message-set.ts'
import { recordSet } from '../unit/stages/records.ts'

/** What a store holds of one message, read past the sink. */
export interface StoredMessage {
  revision: number
  text: string | null
}

/** A fresh store for one scenario; it cleans up after itself. */
export interface StoreUnderTest {
  /** Opens the sink on the store for a stream; called again after a close and for a second reader beside the first. */
  open(stream: string, options?: OpenOptions): Promise<Sink>
  /** `SinkType.rewind` on the store. */
  rewind(stream: string, to: ReadonlyMap<number, number> | null): Promise<void>
  /** Everything in the store, by message id. */
  stored(): Promise<Map<string, StoredMessage>>
  /** Asks the store as an audit does; null where this type cannot be asked, or not from here. */
  revisions(): Promise<RevisionReader | null>
  /** A message that the store will never take; absent where there is none. */
  poison?: Message
  /** Takes the store away and brings it back; absent where another test does that. */
  outage?: { begin(): Promise<void>; end(): Promise<void> }
}

/** A message with every field a store must take; `id` also gives the provider's id. */
export function exampleMessage(overrides: Partial<Message> = {}): Message {
  const id = overrides.id ?? 'easemob:acme#helpdesk:1'
  return {
    id,
    revision: 1,
    provider: 'easemob',
    source: 'support',
    tenant: 'acme#helpdesk',
    messageId: id.slice(id.lastIndexOf(':') + 1),
    origin: '2026112310#7',
    conversation: { kind: 'direct', id: 'agent.xu|lin.yue' },
    sender: { id: 'lin.yue', name: '林月', role: 'customer', avatar: null },
    recipient: 'agent.xu',
    sentAt: 1_795_399_200_000,
    fetchedAt: 1_795_402_800_000,
    enrichedAt: 1_795_402_801_000,
    kind: 'text',
    providerType: 'txt',
    text: '我想申请退款，需要提供什么材料',
    attachments: [],
    location: null,
    status: 'visible',
    session: null,
    refersTo: null,
    data: null,
    ...overrides,
  }
}

const stream = 'cluster-a/messages'

/** What not every store can do. */
export interface StoreTraits {
  /**
   * The store is another's, and only ever given messages: it keeps no positions, for the group does, cannot be asked or
   * emptied, and opens also while it is away.
   */
  isBlind?: boolean
  /** It does not tell how many messages it has: `rows` is null. */
  isUncounted?: boolean
}

/** The promises of the `Sink` interface, for any sink. Closing a sink twice must be harmless. */
export function sinkSuite(
  type: string,
  prepare: (t: TestContext) => Promise<StoreUnderTest>,
  { isBlind = false, isUncounted = isBlind }: StoreTraits = {},
): void {
  const assertRows = async (sink: Sink, rows: number) => {
    assert.equal(await sink.rows(), isUncounted ? null : rows)
  }
  const assertPosition = async (sink: Sink, partition: number, offset: number | null) => {
    assert.equal(await sink.position(partition), isBlind ? 'group' : offset)
  }
  const scenario = (
    name: string,
    run: (store: StoreUnderTest, sink: Sink, t: TestContext) => Promise<void>,
  ) => {
    test(`${type} sink: ${name}`, async (t) => {
      const store = await prepare(t)
      const sink = await store.open(stream)
      t.after(() => sink.close())
      await run(store, sink, t)
    })
  }
  /** A scenario for stores that keep positions. */
  const placedScenario: typeof scenario = (name, run) => {
    if (!isBlind) scenario(name, run)
  }
  const message = (id: string, revision = 1) =>
    exampleMessage({ id: `easemob:acme#helpdesk:${id}`, revision, text: `${id} revision ${revision}` })
  const contentOf = async (store: StoreUnderTest) =>
    [...(await store.stored())].map(([id, { revision, text }]) => `${id} ${revision} ${text}`).sort()
  const expected = (...messages: Message[]) =>
    messages.map(({ id, revision, text }) => `${id} ${revision} ${text}`)

  scenario('the same batch twice leaves the same rows', async (store, sink) => {
    const batch = [message('a'), message('b')]
    await sink.write(messageSet(0, batch, 2))
    await sink.write(messageSet(0, batch, 2))
    assert.deepEqual(await contentOf(store), expected(...batch))
    await assertRows(sink, 2)
  })

  scenario('a batch that overlaps an earlier one adds only what is new', async (store, sink) => {
    await sink.write(messageSet(0, [message('a'), message('b')], 2))
    await sink.write(messageSet(0, [message('b'), message('c')], 3))
    assert.deepEqual(await contentOf(store), expected(message('a'), message('b'), message('c')))
    await assertPosition(sink, 0, 3)
  })

  scenario('a newer revision takes the place of an older one', async (store, sink) => {
    await sink.write(messageSet(0, [message('a', 1)], 1))
    await sink.write(messageSet(0, [message('a', 3)], 2))
    assert.deepEqual(await contentOf(store), expected(message('a', 3)))
    await assertRows(sink, 1)
  })

  scenario('an older revision never overwrites a newer one', async (store, sink) => {
    await sink.write(messageSet(0, [message('a', 2)], 1))
    await sink.write(messageSet(0, [message('a', 1)], 2))
    assert.deepEqual(await contentOf(store), expected(message('a', 2)))
    await assertPosition(sink, 0, 2)
  })

  scenario('the highest revision of one batch stays, whatever its order', async (store, sink) => {
    await sink.write(messageSet(0, [message('a', 1), message('b', 2), message('a', 2), message('b', 1)], 4))
    assert.deepEqual(await contentOf(store), expected(message('a', 2), message('b', 2)))
  })

  placedScenario(
    'a position is null at first, then what was written, and outlives the sink',
    async (store, sink, t) => {
      await assertPosition(sink, 0, null)
      await sink.write(messageSet(0, [message('a')], 17))
      await assertPosition(sink, 0, 17)
      await sink.close()
      const reopened = await store.open(stream)
      t.after(() => reopened.close())
      await assertPosition(reopened, 0, 17)
      await assertRows(reopened, 1)
    },
  )

  placedScenario('positions of another stream do not count, and are kept for it', async (store, sink, t) => {
    await sink.write(messageSet(0, [message('a')], 500))
    await sink.close()
    const other = await store.open('cluster-b/messages')
    t.after(() => other.close())
    await assertPosition(other, 0, null)
    await other.write(messageSet(0, [message('b')], 3))
    await assertPosition(other, 0, 3)
    await other.close()
    const again = await store.open(stream)
    t.after(() => again.close())
    await assertPosition(again, 0, 500)
    await assertRows(again, 2)
  })

  placedScenario('partitions have positions of their own', async (_store, sink) => {
    await sink.write(messageSet(0, [message('a')], 5))
    await sink.write(messageSet(1, [message('b')], 9))
    assert.deepEqual(await Promise.all([0, 1, 2].map((partition) => sink.position(partition))), [5, 9, null])
  })

  scenario('a write tells when its messages were fetched', async (_store, sink) => {
    const batch = [4_000, 1_000, 4_000].map((fetchedAt, n) => exampleMessage({ id: `e:a#b:${n}`, fetchedAt }))
    assert.deepEqual([...(await sink.write(messageSet(0, batch, 3)))], [4_000, 1_000, 4_000])
    assert.deepEqual([...(await sink.write(messageSet(0, [], 5)))], [])
  })

  scenario('many batches at once are all stored, each with its position', async (store, sink) => {
    const batches = Array.from({ length: 20 }, (_, partition) => [message(`a${partition}`), message('b')])
    await Promise.all(batches.map((batch, partition) => sink.write(messageSet(partition, batch, 2))))
    await assertRows(sink, 21)
    for (const partition of batches.keys()) await assertPosition(sink, partition, 2)
    assert.deepEqual(await contentOf(store), expected(message('b'), ...batches.map(([one]) => one!)).sort())
  })

  scenario('a foreign record ends its own partition, with nothing of it written', async (store, sink) => {
    const foreign = recordSet([{ key: null, value: Buffer.from('private words') }], { topic: 'messages' })
    const before = messageSet(0, [message('a')], 1)
    const neighbours = [before, messageSet(1, [message('b')], 1)]
    const refused = assert.rejects(sink.write(foreign), (error: ChatfeedError) => {
      assert.ok(error instanceof ChatfeedError)
      assert.match(error.message, /messages .*partition 3, offset 100/)
      return error.remedy === 'fatal' && error.code === 'foreign_record'
    })
    await Promise.all([refused, ...neighbours.map((records) => sink.write(records))])
    await assertPosition(sink, 3, null)
    assert.deepEqual(await contentOf(store), expected(message('a'), message('b')))
  })

  test(`${type} sink: what the filter leaves out is not stored, and the position moves on`, async (t) => {
    const store = await prepare(t)
    const where = { kind: ['image' as const], conversation: ['room'] }
    const sink = await store.open(stream, { where })
    t.after(() => sink.close())
    const room = { kind: 'room', id: '2477096' } as const
    const taken = exampleMessage({ id: 'e:a#b:1', kind: 'image', conversation: room })
    const batch = [
      exampleMessage({ id: 'e:a#b:2', kind: 'image' }),
      taken,
      exampleMessage({ id: 'e:a#b:3', conversation: room }),
    ]
    assert.deepEqual([...(await sink.write(messageSet(0, batch, 3)))], [taken.fetchedAt])
    await assertPosition(sink, 0, 3)
    assert.deepEqual([...(await store.stored()).keys()], [taken.id])
  })

  placedScenario('set back, a sink is given again what it has', async (store, sink) => {
    await sink.write(messageSet(0, [message('a')], 10))
    await sink.write(messageSet(1, [message('b')], 20))
    await sink.close()
    await store.rewind(
      stream,
      new Map([
        [0, 4],
        [1, 30],
        [2, 7],
      ]),
    )
    const again = await store.open(stream)
    try {
      const positions = await Promise.all([0, 1, 2].map((partition) => again.position(partition)))
      assert.deepEqual(positions, [4, 20, null])
      await again.write(messageSet(0, [message('a')], 10))
      await assertPosition(again, 0, 10)
    } finally {
      await again.close()
    }
    assert.deepEqual(await contentOf(store), expected(message('a'), message('b')))
  })

  placedScenario('emptied, a sink begins anew', async (store, sink) => {
    await sink.write(messageSet(0, [message('a', 2)], 10))
    await sink.close()
    await store.rewind(stream, null)
    const again = await store.open(stream)
    try {
      await assertPosition(again, 0, null)
      assert.deepEqual(await contentOf(store), [])
      await again.write(messageSet(0, [message('a', 1)], 1))
    } finally {
      await again.close()
    }
    assert.deepEqual(await contentOf(store), expected(message('a', 1)))
  })

  test(`${type} sink: a message that the store never takes is refused, and the others go on`, async (t) => {
    const store = await prepare(t)
    const { poison } = store
    if (!poison) return
    const refused: string[] = []
    const sink = await store.open(stream, {
      refuse: ({ partition }, { id, revision }, error) => {
        refused.push(`${partition} ${id} ${revision} ${error.remedy}`)
        return Promise.resolve()
      },
    })
    t.after(() => sink.close())
    await sink.write(messageSet(0, [message('a'), poison, message('b')], 3))
    assert.deepEqual(refused, [`0 ${poison.id} ${poison.revision} message`])
    await assertPosition(sink, 0, 3)
    assert.deepEqual(await contentOf(store), expected(message('a'), message('b')))
  })

  test(`${type} sink: a store that is away holds up its messages and loses none`, async (t) => {
    const store = await prepare(t)
    const { outage } = store
    if (!outage) return
    const sink = await store.open(stream)
    t.after(() => sink.close())
    await sink.write(messageSet(0, [message('a')], 1))
    await outage.begin()
    await assert.rejects(sink.write(messageSet(0, [message('b')], 2)), isTransient)
    if (!isBlind) await assert.rejects(store.open(stream), isTransient)
    await outage.end()
    await sink.write(messageSet(0, [message('b')], 2)).catch(async (error: unknown) => {
      // One that asks to be opened anew is.
      assert.ok(error instanceof ChatfeedError && error.code === 'store_gone', String(error))
      const again = await store.open(stream)
      t.after(() => again.close())
      await again.write(messageSet(0, [message('b')], 2))
    })
    assert.deepEqual(await contentOf(store), expected(message('a'), message('b')))
  })

  scenario('an empty batch moves the position', async (store, sink) => {
    await sink.write(messageSet(0, [], 40))
    await assertPosition(sink, 0, 40)
    assert.deepEqual(await contentOf(store), [])
  })

  scenario('an old reader that repeats its batch moves nothing backwards', async (store, oldReader, t) => {
    await oldReader.write(messageSet(0, [message('a', 1)], 1))
    const newReader = await store.open(stream)
    t.after(() => newReader.close())
    await newReader.write(messageSet(0, [message('a', 2), message('b')], 3))
    await oldReader.write(messageSet(0, [message('a', 1)], 1))
    await assertPosition(newReader, 0, 3)
    assert.deepEqual(await contentOf(store), expected(message('a', 2), message('b')))
  })

  scenario(
    'an audit reads the revision of every id that is there, beside the sink',
    async (store, sink, t) => {
      await sink.write(messageSet(0, [message('a', 1), message('b', 2)], 2))
      const reader = await store.revisions()
      if (!reader) return
      t.after(() => reader.close())
      const ids = [message('b').id, message('a').id, message('gone').id]
      const revisions = async () => [...(await reader.of(ids))].sort()
      assert.deepEqual(await revisions(), [
        [message('a').id, 1],
        [message('b').id, 2],
      ])
      await sink.write(messageSet(0, [message('a', 3)], 3))
      assert.deepEqual((await revisions())[0], [message('a').id, 3])
      assert.deepEqual(await reader.of([]), new Map())
      assert.equal(await reader.rows(), 2)
    },
  )

  scenario('an audit finds ids of every form, and as many as it asks for', async (store, sink, t) => {
    const strange = ["'quoted'", 'new\nline', 'nul\0inside', '龘', '%_*', '"x"', ' ', '👍🏽']
    const many = Array.from({ length: 1_000 - strange.length }, (_, at) => String(at))
    const batch = [...strange, ...many].map((id) => message(id))
    await sink.write(messageSet(0, batch, batch.length))
    const reader = await store.revisions()
    if (!reader) return
    t.after(() => reader.close())
    const found = await reader.of(batch.map(({ id }) => id))
    assert.deepEqual(
      batch.filter(({ id }) => found.get(id) !== 1),
      [],
    )
  })

  scenario('hostile text is kept; only what no UTF-8 text can hold may be replaced', async (store, sink) => {
    const texts = {
      surrogate: 'before \ud83d after',
      nul: 'before \0 after',
      control: 'bell \u0007 escape \u001b[2J line\r\nseparator \u2028',
      emoji: '👍🏽 👩‍👩‍👧 🇨🇳 𠮷',
      quotes: `'; drop table messages; -- " \\ \${x} {{x}}`,
      blank: '',
      long: '退款'.repeat(170_000),
    }
    const batch = Object.entries(texts).map(([id, text]) =>
      exampleMessage({ id: `easemob:acme#helpdesk:${id}`, text }),
    )
    await sink.write(messageSet(0, batch, batch.length))
    const stored = await store.stored()
    for (const { id, text } of batch) assert.equal(legible(stored.get(id)?.text), legible(text), id)
  })

  scenario('a message of nulls is kept', async (store, sink) => {
    const bare = exampleMessage({
      sender: { id: null, name: null, role: null, avatar: null },
      recipient: null,
      text: null,
    })
    await sink.write(messageSet(0, [bare], 1))
    assert.deepEqual(await store.stored(), new Map([[bare.id, { revision: 1, text: null }]]))
  })
}

/** The text with every character that some store may have to replace left out. */
function legible(text: string | null | undefined): string | undefined {
  return text?.replace(/[\0\ud800-\udfff\ufffd]/gu, '')
}
