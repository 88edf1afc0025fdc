import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../../../../../src/providers/polyv/client/client.ts'
import { endpoints } from '../../../../../src/providers/polyv/lists/endpoints.ts'
import { History } from '../../../../../src/providers/polyv/lists/history.ts'

const endpoint = endpoints['v3-speak']
const fromMs = Date.parse('2026-11-23T02:00:00Z')
const query = {
  channel: 'all',
  room: null,
  status: 'pass',
  scope: 'public',
  fromMs,
  toMs: fromMs + 3_600_000,
}

/** Reads a service that answers a cursor (`''` at the start) with ids and the next cursor, as JSON text. */
async function read(pages: Record<string, [ids: string, next: string]>) {
  const calls: Call[] = []
  const ask = (call: Call): Promise<Buffer> => {
    calls.push(call)
    const [ids, next] = pages[String(call.params.cursor ?? '')] ?? ['', 'null']
    const list = [...ids].map((id) => `{"id":"${id}","time":1000,"user":"{\\"channelId\\":\\"1\\"}"}`)
    return Promise.resolve(
      Buffer.from(
        `{"code":200,"status":"success","data":{"size":2,"cursor":${next},"list":[${list.join(',')}]}}`,
      ),
    )
  }
  const ids: (string | number)[] = []
  const accept = (records: readonly { position: string | number }[]): Promise<void> => {
    ids.push(...records.map(({ position }) => position))
    return Promise.resolve()
  }
  const list = { endpoint, query, pageSize: 1000, accept }
  const refusal = await new History({ ask }).readList(list, true, new AbortController().signal)
  return { refusal, ids: ids.join(''), calls }
}

test('cursors are followed until the list is empty, however short the lists on the way are', async () => {
  const { refusal, ids, calls } = await read({
    '': ['abc', '"7_3"'],
    '7_3': ['d', '"8_1"'],
    '8_1': ['', '"8_1"'],
  })
  assert.deepEqual([refusal, ids], [null, 'abcd'])
  assert.deepEqual(
    calls.map(({ method, params }) => ({ method, ...params })),
    [null, '7_3', '8_1'].map((cursor) => ({
      method: 'GET',
      startTime: fromMs,
      endTime: fromMs + 3_600_000,
      cursor,
      size: 1000,
    })),
  )
})

test('a cursor goes back as it came', async () => {
  for (const cursor of [' 7_3 ', '"7"', 'a+b/c=&ü', 'null', '0']) {
    const { refusal, calls } = await read({ '': ['a', JSON.stringify(cursor)], [cursor]: ['', 'null'] })
    assert.equal(refusal, null)
    assert.equal(calls[1]?.params.cursor, cursor)
  }
  for (const number of ['73', '12345678901234567890']) {
    const { calls } = await read({ '': ['a', number], [number]: ['', 'null'] })
    assert.equal(calls[1]?.params.cursor, number)
  }
})

test('a cursor that is missing behind messages is no end', async () => {
  for (const missing of ['null', '""', '" "', '{}', '[]']) {
    const { refusal, ids } = await read({ '': ['ab', missing] })
    assert.equal(ids, 'ab')
    assert.match(refusal?.reason ?? '', /names no cursor/, missing)
  }
})

test('a cursor that comes a second time is no end', async () => {
  const { refusal } = await read({ '': ['a', '"1"'], '1': ['b', '"2"'], '2': ['c', '"1"'] })
  assert.match(refusal?.reason ?? '', /a second time/)
  assert.match((await read({ '': ['a', '"1"'], '1': ['b', '"1"'] })).refusal?.reason ?? '', /a second time/)
})

test('messages that repeat under new cursors end the reading as incomplete, a single overlap does not', async () => {
  const endless = Object.fromEntries(
    Array.from({ length: 99 }, (_, page): [string, [string, string]] => [
      page === 0 ? '' : String(page),
      ['ab', `"${page + 1}"`],
    ]),
  )
  const { refusal, calls } = await read(endless)
  assert.match(refusal?.reason ?? '', /repeats the same messages/)
  assert.ok(calls.length < 10)
  const overlap = await read({ '': ['ab', '"1"'], '1': ['b', '"2"'], '2': ['', 'null'] })
  assert.deepEqual([overlap.refusal, overlap.calls.length], [null, 3])
})
