import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signatureOf, signedQuery, type Params } from '../../../../../src/providers/polyv/client/signature.ts'

// The appId and the secret are the dummies that the vendor prints beside T1.
const secret = 'fsq2k5weced1h8vui657xtdva66whf0g'
const caller = { appId: 'g4rqgmmjuo', timestamp: 1660270926732 }
const list = {
  channelIds: '2477096,2272655',
  startDay: '2022-05-20',
  endDay: '2022-06-18',
  page: null,
  size: null,
}
const history = { startDay: '2022-05-20 00:00:00', endDay: '2022-05-20 23:59:59', page: 1, limit: 1000 }

const vectors: [name: string, params: Params, expected: string][] = [
  ['T1, printed in the docs', list, '0D2BDA2FD04D93A2B8832B91FD973C4D'],
  ['T3, one page of history', history, 'A8B6262C1A3B14DA0B2C6DDE6CE5D622'],
  [
    'T4, every filter',
    {
      ...history,
      status: 'censor',
      source: 'extend',
      userType: 'teacher,assistant,manager',
      roomId: '157468202',
    },
    '4ABE77D80AFBE709F94AB0BF37E79ECD',
  ],
  [
    'T5, empty values left out',
    { startDay: '2022-05-20', endDay: '2022-05-20', page: 1, limit: 1000, userType: '', status: null },
    '523DFE03B6FCFD055A0A83D63337FD09',
  ],
  [
    'T6, the paged endpoint',
    {
      channelId: '2477096',
      startDay: history.startDay,
      endDay: history.endDay,
      page: 1,
      pageSize: 1000,
      hasTotal: 'Y',
    },
    '9D58CA85E82529212A4F98E82C14BF20',
  ],
  [
    'T7, a cursor',
    { startTime: 1660266000000, endTime: 1660269600000, size: 1000, cursor: '6_2' },
    'BB61A645E67E91E8A9DA7174D5923FFB',
  ],
  [
    'T8, Chinese, reserved signs and an emoji',
    { channelId: '2477096', content: '你好 世界+&=%😀' },
    '912CE82A3E5249E007D5468637EAA7BD',
  ],
]

for (const [name, params, expected] of vectors) {
  test(`signature vector ${name}`, () => {
    assert.equal(signatureOf({ ...params, ...caller }, secret), expected)
  })
}

test('signature vector T2, from the vendor’s own test', () => {
  const params = { appId: 'test123', timestamp: 1609459200000 }
  assert.equal(signatureOf(params, 'mySecret'), 'EFF0E886F37955B5767430D5A0F4824D')
})

test('signature vectors T9a and T9b: SHA-256 with and without its own parameter', () => {
  const params = { ...list, ...caller }
  assert.equal(
    signatureOf({ ...params, signatureMethod: 'SHA256' }, secret, 'sha256'),
    'C19D35BD44B2BD0A538D420D93F80C17EAD9604042098EA38621A2B5663ECEDF',
  )
  assert.equal(
    signatureOf(params, secret, 'sha256'),
    '42703C82180F933545C0E6E3372B5F6303C3A54F77629AA34C4CE3443F7B3B27',
  )
})

test('signature vectors N1 and N2: a path variable or encoded values give another signature', () => {
  const right = signatureOf({ ...history, ...caller }, secret)
  const withPath = signatureOf({ ...history, ...caller, channelId: '2477096' }, secret)
  const encoded = Object.fromEntries(
    Object.entries({ ...history, ...caller }).map(([name, value]) => [name, encodeURIComponent(value)]),
  )
  assert.equal(withPath, 'E428951C240FF5D130AF8A1307B844C7')
  assert.equal(signatureOf(encoded, secret), '23D75953F7794FAF8B6C4CF8D2E35B98')
  assert.notEqual(withPath, right)
  assert.notEqual(signatureOf(encoded, secret), right)
})

test('the query holds what was signed and nothing else, encoded for the wire, no blank parameter', () => {
  const params = { ...history, status: 'pass', source: null, roomId: '', userType: '  ' }
  const query = signedQuery(params, { appId: caller.appId, appSecret: secret }, caller.timestamp)
  assert.match(query, /startDay=2022-05-20%2000%3A00%3A00/)
  const { sign, ...sent } = Object.fromEntries(new URLSearchParams(query))
  assert.deepEqual(sent, {
    appId: 'g4rqgmmjuo',
    endDay: '2022-05-20 23:59:59',
    limit: '1000',
    page: '1',
    startDay: '2022-05-20 00:00:00',
    status: 'pass',
    timestamp: '1660270926732',
  })
  assert.equal(sign, signatureOf(sent, secret))
  assert.ok(!query.includes(secret))
})
