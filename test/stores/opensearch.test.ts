import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { openSink } from '../../src/sinks/index.ts'
import type { OpensearchConfig } from '../../src/sinks/opensearch/config.ts'
import { exampleMessage, sinkSuite } from '../contract/sink-suite.ts'
import { messageSet } from '../support/message-set.ts'
import { sinkContext } from '../support/sink-context.ts'
import { ask, documents, type Hit, searchConfig, searchStore } from '../support/stores/opensearch-store.ts'
import { type SearchServer, startOpensearch } from '../support/stores/opensearch/server.ts'
import { failureOf } from '../unit/sinks/opensearch/arena.ts'

/** Another cluster than one of our own; it is not taken away then, and may have other analyzers. */
const given = process.env['CHATFEED_TEST_SEARCH']
let server: SearchServer | undefined
let url = given ?? ''
const closers: (() => unknown)[] = []

// One for all tests: its start takes long.
before(async () => {
  if (given !== undefined) return
  server = await startOpensearch({ after: (close) => void closers.push(close) })
  url = server.url
})
after(async () => {
  for (const close of closers.reverse()) await close()
})

sinkSuite('opensearch', (t) => {
  const store = searchStore(searchConfig(t, url))
  const own = server
  return Promise.resolve(
    own ? { ...store, outage: { begin: () => own.kill(), end: () => own.start() } } : store,
  )
})

const stream = 'cluster/messages'

async function filled(t: TestContext, keys: Partial<OpensearchConfig>, ...texts: string[]) {
  const config = searchConfig(t, url, keys)
  const sink = await openSink(config, sinkContext(stream))
  t.after(() => sink.close())
  const messages = texts.map((text, at) => exampleMessage({ id: `e:a#b:${at}`, text }))
  await sink.write(messageSet(0, messages, messages.length))
  await sink.rows()
  return { config, sink }
}

async function find({ index }: OpensearchConfig, text: string): Promise<string[]> {
  const body = { query: { match_phrase: { text } }, highlight: { fields: { text: {} } } }
  const { hits } = await ask<{ hits: { hits: Hit[] } }>(url, 'POST', `/${index}/_search`, body)
  return hits.hits.flatMap(({ highlight }) => highlight?.['text'] ?? []).sort()
}

const texts = ['我想申请退款，需要提供什么材料', '退货和款项', '电子发票在哪里下载', 'Please refund order 42']

for (const analyzer of ['auto', ...(given === undefined ? ['cjk'] : [])]) {
  test(`Chinese words are found, and Latin ones beside them: analyzer ${analyzer}`, async (t) => {
    const { config } = await filled(t, { analyzer }, ...texts)
    assert.deepEqual((await find(config, '退款')).map(plain), [texts[0]])
    assert.deepEqual((await find(config, '发票')).map(plain), [texts[2]])
    assert.match((await find(config, '退款'))[0] ?? '', /<em>退款<\/em>|<em>退<\/em><em>款<\/em>/)
    assert.deepEqual((await find(config, 'refund')).map(plain), [texts[3]])
  })
}

const plain = (marked: string): string => marked.replace(/<\/?em>/g, '')

test('every field is there as the message has it, and is asked for by its type', async (t) => {
  const { config, sink } = await filled(t, {})
  const message = exampleMessage({
    conversation: { kind: 'group', id: '2477096' },
    location: { latitude: 31.2, longitude: 121.5, address: '北京朝阳公园' },
    data: '{"order":123456789012345678901}',
    attachments: [
      {
        ...{ role: 'original', url: 'https://a.example/1', resolvedUrl: 'https://a.example/1?s=1' },
        ...{ name: '发票.pdf', mimeType: 'application/pdf', size: 2 ** 40, width: null, height: null },
        ...{ durationSeconds: null, state: 'linked', sha256: null, archiveKey: null },
      },
    ],
  })
  await sink.write(messageSet(0, [message], 1))
  const [hit] = await documents(config)
  const { conversationKind, conversationId, senderName, sentAt, data, address, attachments } = hit!._source
  assert.deepEqual(
    { conversationKind, conversationId, senderName, sentAt, data, address, attachments },
    {
      ...{ conversationKind: 'group', conversationId: '2477096', senderName: '林月', sentAt: message.sentAt },
      ...{ data: message.data, address: '北京朝阳公园', attachments: message.attachments },
    },
  )
  const questions = [
    { term: { conversationId: '2477096' } },
    { term: { 'attachments.mimeType': 'application/pdf' } },
    { range: { sentAt: { gte: message.sentAt, lt: message.sentAt + 1 } } },
    { range: { 'attachments.size': { gt: 2 ** 39 } } },
    { match: { address: '北京' } },
    { match: { 'attachments.name.text': '发票' } },
  ]
  for (const query of questions) {
    const { count } = await ask<{ count: number }>(url, 'POST', `/${config.index}/_count`, { query })
    assert.equal(count, 1, JSON.stringify(query))
  }
})

test('an index that was removed is made anew with its mapping, and filled from the beginning', async (t) => {
  const { config, sink } = await filled(t, {}, texts[0]!)
  await ask(url, 'DELETE', `/${config.index}-000001`)
  assert.equal((await failureOf(sink.write(messageSet(0, [exampleMessage()], 2)))).code, 'store_gone')
  assert.equal((await failureOf(sink.position(0))).code, 'store_gone')
  const again = await openSink(config, sinkContext(stream))
  t.after(() => again.close())
  assert.equal(await again.position(0), null)
  await again.write(messageSet(0, [exampleMessage()], 1))
  await again.rows()
  assert.deepEqual((await find(config, '退款')).map(plain), [texts[0]])
})

test('by month: a revision of another month leaves no older document, and a dropped month stays dropped', async (t) => {
  const { config, sink } = await filled(t, { perMonth: true })
  const sent = (revision: number, sentAt: number) => exampleMessage({ revision, sentAt })
  await sink.write(messageSet(0, [sent(1, Date.UTC(2026, 9, 31)), exampleMessage({ id: 'e:a#b:other' })], 2))
  await sink.write(messageSet(0, [sent(2, Date.UTC(2026, 11, 1))], 3))
  const indices = async () =>
    (await documents(config)).map(({ _id, _index }) => `${_id} ${_index.replace(config.index, '')}`).sort()
  assert.deepEqual(await indices(), ['e:a#b:other -2026.11', `${exampleMessage().id} -2026.12`])
  await ask(url, 'DELETE', `/${config.index}-2026.11`)
  assert.equal(await sink.position(0), 3)
})

const states: [
  what: string,
  path: string,
  body: object | undefined,
  code: string,
  undo: [string, object | undefined],
][] = [
  [
    'a read-only index',
    '_settings',
    { 'index.blocks.read_only_allow_delete': true },
    'search_read_only',
    ['_settings', { 'index.blocks.read_only_allow_delete': null }],
  ],
  ['a closed index', '_close', undefined, 'search_closed', ['_open', undefined]],
]
for (const [what, path, body, code, [undo, undoBody]] of states) {
  test(`${what} holds up its messages, until it is mended`, async (t) => {
    const { config, sink } = await filled(t, {})
    const set = (name: string, given: object | undefined) =>
      ask(url, name === '_settings' ? 'PUT' : 'POST', `/${config.index}-000001/${name}`, given)
    await set(path, body)
    const failure = await failureOf(sink.write(messageSet(0, [exampleMessage()], 1)))
    assert.deepEqual([failure.remedy, failure.code], ['transient', code])
    await set(undo, undoBody)
    await sink.write(messageSet(0, [exampleMessage()], 1))
    assert.equal(await sink.position(0), 1)
  })
}

test('settings of a template with a higher priority count, and the mapping stays', async (t) => {
  const config = searchConfig(t, url)
  const name = `${config.index}-theirs`
  const template = { settings: { 'index.number_of_shards': 3 } }
  const body = { index_patterns: [`${config.index}-*`], priority: 1_000, template }
  await ask(url, 'PUT', `/_index_template/${name}`, body)
  t.after(() => ask(url, 'DELETE', `/_index_template/${name}`))
  const sink = await openSink(config, sinkContext(stream))
  t.after(() => sink.close())
  const made = await ask<Record<string, unknown>>(url, 'GET', `/${config.index}`)
  assert.match(JSON.stringify(made), /"number_of_shards":"3"/)
  assert.match(JSON.stringify(made), /"format":"epoch_millis"/)
})

test('an analyzer that the cluster does not have stops the start', async (t) => {
  const config = searchConfig(t, url, { analyzer: 'no_such_analyzer' })
  const { remedy, code } = await failureOf(openSink(config, sinkContext(stream)))
  assert.deepEqual([remedy, code], ['fatal', 'search_no_analyzer'])
})
