import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, Refusal } from '../../../../../src/providers/polyv/client/client.ts'
import { endpoints, type Endpoint } from '../../../../../src/providers/polyv/lists/endpoints.ts'
import { History } from '../../../../../src/providers/polyv/lists/history.ts'

const query = { channel: '1', room: null, status: 'pass', scope: 'public', fromMs: 0, toMs: 3_600_000 }
const itemOf = (id: string): string => `{"id":"${id}","time":1000,"roomId":"1"}`
const answerOf = (ids: readonly string[], shape = (list: string) => list): Buffer =>
  Buffer.from(`{"code":200,"status":"success","data":${shape(`[${ids.map(itemOf).join(',')}]`)}}`)

type Answer = readonly string[] | Refusal | Buffer

/** A service that answers a page by its number and by how many calls came before. */
function historyOf(answer: (page: number, call: number) => Answer) {
  const asked: number[] = []
  const ask = ({ params }: Call): Promise<Buffer | Refusal> => {
    const page = Number(params.page)
    const given = answer(page, asked.length)
    asked.push(page)
    return Promise.resolve(
      'length' in given && !Buffer.isBuffer(given) ? answerOf(given as string[]) : (given as Refusal),
    )
  }
  const history = new History({ ask })
  const read = async (isClosed: boolean, pageSize = 2, endpoint: Endpoint = endpoints['v2-history']) => {
    asked.length = 0
    const ids: (string | number)[] = []
    const accept = (records: readonly { position: string | number }[]): Promise<void> => {
      ids.push(...records.map(({ position }) => position))
      return Promise.resolve()
    }
    const refusal = await history.readList(
      { endpoint, query, pageSize, accept },
      isClosed,
      new AbortController().signal,
    )
    return { refusal, ids, met: [...new Set(ids)].sort().join(''), asked: [...asked] }
  }
  return { read }
}

/** Pages of a list that is the same for every call. */
const steady = (...pages: string[]) => historyOf((page) => [...(pages[page - 1] ?? '')])

test('a list without messages takes one call', async () => {
  const { refusal, asked } = await steady().read(true)
  assert.deepEqual([refusal, asked], [null, [1]])
})

test('an open hour ends with its short page, without a further call', async () => {
  const { refusal, met, asked } = await steady('ab', 'c').read(false)
  assert.deepEqual([refusal, met, asked], [null, 'abc', [1, 2]])
})

test('an exactly full last page takes one more call, which brings an empty list', async () => {
  const { refusal, met, asked } = await steady('ab', 'cd').read(false)
  assert.deepEqual([refusal, met, asked], [null, 'abcd', [1, 2, 3]])
})

test('a closed hour of one page is asked once for what might lie behind it, and not read again', async () => {
  const { refusal, ids, asked } = await steady('a').read(true)
  assert.deepEqual([refusal, ids, asked], [null, ['a'], [1, 2]])
})

test('a closed hour of several pages is read until a pass brings nothing new', async () => {
  const { refusal, met, asked } = await steady('ab', 'c').read(true)
  assert.deepEqual([refusal, met], [null, 'abc'])
  assert.deepEqual(asked, [1, 2, 3, 1, 2, 3])
})

test('a message that slips over the border of two pages while they are read is found by the next pass', async () => {
  const before = ['ab', 'cd', 'e']
  const after = ['bc', 'de'] // a was deleted between the first two calls.
  const { read } = historyOf((page, call) => [...((call === 0 ? before : after)[page - 1] ?? '')])
  const { refusal, met } = await read(true)
  assert.deepEqual([refusal, met], [null, 'abcde'])
})

test('a message that slips from the second page onto a full first one is found by the next pass', async () => {
  const { read } = historyOf((page, call) => [...((call === 0 ? ['ab', 'c'] : ['bc'])[page - 1] ?? '')])
  const { refusal, met } = await read(true)
  assert.deepEqual([refusal, met], [null, 'abc'])
})

test('a list that brings something new in every pass is not taken for complete', async () => {
  const { read } = historyOf((page, call) => (page > 3 ? [] : [`x${call}`, `y${call}`]))
  const { refusal, asked } = await read(true)
  assert.equal(refusal?.code, 'pages_shifted')
  assert.equal(asked.filter((page) => page === 1).length, 4)
})

test('pages that do not turn are not taken for complete, open or closed', async () => {
  for (const isClosed of [false, true]) {
    const { refusal, asked } = await historyOf(() => ['a', 'b']).read(isClosed)
    assert.equal(refusal?.code, 'pages_shifted')
    assert.equal(asked.length, isClosed ? 8 : 2)
  }
})

test('a service that hands out fewer a page than asked for loses nothing', async () => {
  const { read } = steady('ab', 'cd', 'e')
  assert.equal((await read(true, 1000)).met, 'abcde')
  // Its limit is known from then on, and open hours are read whole too.
  assert.deepEqual((await read(false, 1000)).asked, [1, 2, 3])
})

test('a service that shows its last page for every number behind it is read whole', async () => {
  const { refusal, met } = await historyOf((page) => [...(page === 1 ? 'ab' : 'c')]).read(true)
  assert.deepEqual([refusal, met], [null, 'abc'])
})

test('behind a short page the service may answer as it likes', async () => {
  for (const odd of [{ code: 'bad_request', reason: 'no such page' }, Buffer.from('{"data":{}}')]) {
    const { refusal, met } = await historyOf((page) => (page === 1 ? ['a'] : odd)).read(true)
    assert.deepEqual([refusal, met], [null, 'a'])
  }
})

test('trouble of the service behind a short page is no end of the list', async () => {
  const trouble = { code: 'server_error', reason: 'a fault of its own' }
  const { refusal } = await historyOf((page) => (page === 1 ? ['a'] : trouble)).read(true)
  assert.equal(refusal?.code, 'server_error')
})

test('behind a full page a refusal or an answer without a list ends the reading as incomplete', async () => {
  for (const odd of [{ code: 'bad_request', reason: 'no such page' }, Buffer.from('{"data":{}}')]) {
    const { refusal } = await historyOf((page) => (page === 1 ? ['a', 'b'] : odd)).read(true)
    assert.ok(refusal)
  }
})

test('pages longer than asked for, unsorted and with repeats are read whole', async () => {
  const { refusal, met } = await steady('daab', 'ccb').read(true)
  assert.deepEqual([refusal, met], [null, 'abcd'])
})

test('every endpoint finds its list, and takes its absence for a failure, never for an empty page', async () => {
  const shapes: [Endpoint, (list: string) => string][] = [
    [endpoints['v2-history'], (list) => list],
    [endpoints['v2-page'], (list) => `{"list":${list},"page":1,"totalPage":9,"totalCount":99}`],
    [endpoints['v3-history'], (list) => list],
    [endpoints['v3-page'], (list) => `{"pageSize":2,"contents":${list}}`],
    [endpoints['v3-speak'], (list) => `{"size":2,"cursor":null,"list":${list}}`],
  ]
  for (const [endpoint, shape] of shapes) {
    const { refusal } = await historyOf(() => answerOf([], shape)).read(true, 2, endpoint)
    assert.equal(refusal, null)
    for (const odd of ['null', '""', '{}', '{"page":1,"totalCount":0}', shape('null'), shape('{"0":{}}')]) {
      const body = Buffer.from(`{"code":200,"status":"success","data":${odd}}`)
      const outcome = await historyOf(() => body).read(true, 2, endpoint)
      assert.equal(outcome.refusal?.code, 'answer_shape', odd)
    }
  }
})
