import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ChatfeedError } from '../../../../../src/errors.ts'
import { understand } from '../../../../../src/providers/easemob/message/message.ts'

/** What becomes of a record: the message, or the code of the refusal. */
function outcome(record: object): unknown {
  try {
    return understand(Buffer.from(JSON.stringify(record)), 'acme#helpdesk')
  } catch (error) {
    if (error instanceof ChatfeedError) return error.code
    throw error
  }
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, '0', 'chat', 'groupchat', 'recall', 'edit', 'txt', '1', true, [], {}),
  fc.jsonValue({ maxDepth: 1 }),
)
const members = (...names: string[]) =>
  fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.constantFrom('record', 'zz', '7')), odd, {
    maxKeys: 3,
  })
const body = fc
  .tuple(
    fc.constantFrom(
      { type: 'txt', msg: '你好' },
      {
        type: 'img',
        url: '//files.example/a',
        secret: 's+/',
        filename: 'a.png',
        size: { width: 1, height: 2, x: 3 },
      },
      { type: 'video', url: 'https://files.example/b', thumb: 'https://files.example/c', length: 5 },
      { type: 'loc', lat: '30.2', lng: 120.1, addr: '杭州' },
      { type: 'custom', customExts: [{ a: 1 }, { b: 2 }], 'v2:customExts': { a: 1, b: 2 } },
      { subType: 'sub_combine', title: 't', summary: 's', url: 'https://files.example/d' },
      { type: 'poll', options: [1] },
    ),
    members(
      'type',
      'msg',
      'url',
      'secret',
      'thumb',
      'size',
      'lat',
      'addr',
      'filename',
      'length',
      'customExts',
    ),
  )
  .map(([first, more]) => ({ ...first, ...more }))
const hourFileRecord = fc
  .record({
    outer: members(
      'from',
      'to',
      'chat_type',
      'type',
      'group_id',
      'recall_id',
      'uuid',
      'direction',
      'timestamp',
    ),
    payload: members('from', 'to', 'type', 'ack_message_id', 'edit_message_id', 'meta'),
    ext: odd,
    bodies: fc.array(body, { minLength: 1, maxLength: 3 }),
  })
  .map(({ outer, payload, ext, bodies }) => ({
    chat_type: 'chat',
    from: 'li',
    to: 'wang',
    msg_id: '1',
    timestamp: 1_795_600_000_123,
    ...outer,
    payload: { ext, bodies, from: 'li', to: 'wang', ...payload },
  }))

test('a record of an hour file says the same when its payload is written as text', () => {
  fc.assert(
    fc.property(hourFileRecord, (record) => {
      assert.deepEqual(outcome(record), outcome({ ...record, payload: JSON.stringify(record.payload) }))
    }),
    { numRuns: 1_000, seed: 6 },
  )
})

test('a member that was never heard of is found again, whatever its name', () => {
  const text = `{"chat_type":"chat","payload":{"bodies":[{"type":"txt","msg":"m","__proto__":{"a":1}}],"from":"li","to":"wang","7":[]},
    "msg_id":"1","timestamp":1,"__proto__":2}`
  assert.equal(
    understand(Buffer.from(text), 't').data,
    '{"7":[],"bodies":[{"__proto__":{"a":1}}],"record":{"__proto__":2}}',
  )
})

test('a member that says nothing is not found again', () => {
  const bodies = [{ type: 'txt', msg: 'm' }]
  const record = { msg_id: '1', timestamp: 1, from: '', to: null, group_id: null, groupId: '', type: '' }
  const { data } = understand(
    Buffer.from(JSON.stringify({ ...record, payload: { bodies, from: 'li', to: 'wang' } })),
    't',
  )
  assert.equal(data, null)
})
