import assert from 'node:assert/strict'
import { createServer as createHttps } from 'node:https'
import { test } from 'node:test'
import { explain } from '../../../../src/errors.ts'
import { checkSink, openSink } from '../../../../src/sinks/index.ts'
import { makeCertificate } from '../../../support/certificate.ts'
import { messageSet } from '../../../support/message-set.ts'
import { sinkContext } from '../../../support/sink-context.ts'
import { startSearchDouble } from '../../../support/stores/opensearch-double.ts'
import { searchConfig } from '../../../support/stores/opensearch-store.ts'
import { arena, failureOf, message } from './arena.ts'

const error = (status: number, type: string, reason = 'private words') => ({
  status,
  body: { error: { type, reason }, status },
})
const page = (status: number) => ({ status, body: '<html>private words</html>', type: 'text/html' })

const answers: [what: string, reply: ReturnType<typeof error> | ReturnType<typeof page>, verdict: string][] =
  [
    ['wrong credentials', error(401, 'security_exception'), 'transient search_unauthorized'],
    ['too few privileges', error(403, 'security_exception'), 'transient search_forbidden'],
    ['disks at the flood stage (403)', error(403, 'cluster_block_exception'), 'transient search_read_only'],
    ['disks at the flood stage (429)', error(429, 'cluster_block_exception'), 'transient search_read_only'],
    ['the alias is gone', error(404, 'index_not_found_exception'), 'transient store_gone'],
    ['a closed index', error(400, 'index_closed_exception'), 'transient search_closed'],
    [
      'several indices',
      error(400, 'illegal_argument_exception', 'no write index'),
      'transient search_no_write_index',
    ],
    ['a rule of the operator', error(400, 'illegal_argument_exception'), 'transient search_refused'],
    ['a fault inside', error(500, 'null_pointer_exception'), 'transient search_failed'],
    ['a page of other software', page(200), 'transient search_foreign'],
    ['a redirect', page(302), 'transient search_foreign'],
    ['other software without that path', page(404), 'transient search_foreign'],
  ]

for (const [what, reply, verdict] of answers) {
  test(`${what}, as the answer to a write: ${verdict}`, async (t) => {
    const { double, open } = await arena(t, { username: 'chatfeed', password: 'private words' })
    const sink = await open()
    double.answer = ({ path }) => (path.endsWith('/_bulk') ? reply : undefined)
    const failure = await failureOf(sink.write(messageSet(0, [message('a')], 1)))
    assert.equal(`${failure.remedy} ${failure.code}`, verdict)
    assert.match(explain(failure), /\. .+\./, 'it says what to do')
    assert.doesNotMatch(explain(failure), /private|chatfeed:/)
    double.answer = undefined
    assert.equal(await sink.position(0), null)
  })
}

const items: [what: string, status: number, type: string, reason: string, verdict: string][] = [
  ['a field that does not fit', 400, 'mapper_parsing_exception', 'private', 'refused search_unmappable'],
  ['the same in Elasticsearch 8', 400, 'document_parsing_exception', 'private', 'refused search_unmappable'],
  ['a term too long', 400, 'illegal_argument_exception', 'immense term private', 'refused search_unmappable'],
  ['a pipeline of the operator', 400, 'illegal_argument_exception', 'private', 'search_refused'],
  ['a read-only index', 403, 'cluster_block_exception', 'private', 'search_read_only'],
]

for (const [what, status, type, reason, verdict] of items) {
  test(`${what}, as the answer to one of two messages: ${verdict}`, async (t) => {
    const { double, refused, open } = await arena(t)
    const sink = await open()
    double.answer = ({ path }) =>
      path.endsWith('/_bulk')
        ? {
            status: 200,
            body: {
              errors: true,
              items: [{ index: { status: 201 } }, { index: { status, error: { type, reason } } }],
            },
          }
        : undefined
    const write = sink.write(messageSet(0, [message('a'), message('b')], 2))
    if (!verdict.startsWith('refused')) {
      const failure = await failureOf(write)
      assert.deepEqual([failure.remedy, failure.code, refused], ['transient', verdict, []])
      assert.doesNotMatch(explain(failure), /private/)
      assert.equal(await sink.position(0), null)
      return
    }
    assert.equal((await write).length, 1)
    assert.deepEqual(refused, [`b ${verdict.slice('refused '.length)}`])
    assert.equal(await sink.position(0), 2)
  })
}

test('wrong credentials stop the start, for they are wrong for good', async (t) => {
  const { double, open } = await arena(t)
  double.answer = () => error(401, 'security_exception')
  const { remedy, code } = await failureOf(open())
  assert.deepEqual([remedy, code], ['fatal', 'search_unauthorized'])
})

test('other software stops the start', async (t) => {
  const { double, open } = await arena(t)
  for (const reply of [page(200), page(404), { status: 200, body: { hello: 'world' } }]) {
    double.answer = () => reply
    const { remedy, code } = await failureOf(open())
    assert.deepEqual([remedy, code], ['fatal', 'search_foreign'])
  }
})

test('an index of the same name is not touched', async (t) => {
  const { double, config, open } = await arena(t)
  double.model.indices.set(config.index, { uuid: 'theirs', aliases: new Set(), documents: new Map() })
  const { remedy, code } = await failureOf(open())
  assert.deepEqual([remedy, code], ['fatal', 'search_name_taken'])
})

test('a certificate counts when its authority is given, and a wrong scheme is named', async (t) => {
  const { ca, ...key } = makeCertificate(t)
  const secure = await startSearchDouble(t, (listener) => createHttps(key, listener))
  const plain = await startSearchDouble(t)
  const openAt = async (url: string, tls?: { ca: string }) => {
    const config = { ...searchConfig(t, plain.url), url, ...(tls && { tls }) }
    await (await openSink(config, sinkContext('cluster/messages'))).close()
  }
  const https = secure.url.replace('http:', 'https:')
  await openAt(https, { ca })
  const unknown = await failureOf(openAt(https))
  assert.deepEqual([unknown.remedy, unknown.code], ['transient', 'search_tls'])
  assert.match(unknown.mend ?? '', /tls\.ca/)
  for (const url of [plain.url.replace('http:', 'https:'), secure.url]) {
    const failure = await failureOf(openAt(url))
    assert.deepEqual([failure.remedy, failure.code], ['transient', 'search_tls'])
    assert.match(failure.mend ?? '', /http:\/\/ or https:\/\//)
  }
})

test('the check names the engine, its health, its analyzer and the index', async (t) => {
  const { double, config, open } = await arena(t)
  const findings = async () =>
    (await checkSink(config)).map(({ level, about, text }) => `${level} ${about}: ${text}`)
  assert.match(
    (await findings()).join('\n'),
    /ok cluster: OpenSearch 2\.19\.1 .*\n.*\nwarning analyzer.*pairs.*\nok index: .* not there/,
  )
  double.model.analyzers.add('smartcn')
  await open()
  assert.match((await findings()).join('\n'), /ok analyzer: .*smartcn.\nok index: .* holds 0 messages/)
  await double.stop()
  assert.match((await findings()).join('\n'), /^fault cluster: .*cannot be reached/)
})
