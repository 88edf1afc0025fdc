import type { endpointNames } from '../../../src/providers/polyv/lists/endpoints.ts'
import { polyv } from '../../../src/providers/polyv/index.ts'
import type { Json, ProviderCase } from './case.ts'
import { listFraming } from './list-framing.ts'
import { providerSuite } from '../provider-suite.ts'

type EndpointName = (typeof endpointNames)[number]

/** 11:50 on a Monday in China: classes of 9 and 10 o'clock are over, the help desk's hour of 11 goes on. */
const nowMs = Date.parse('2026-11-23T11:50:00+08:00')
const sentAt = Date.parse('2026-11-23T10:30:00+08:00')

const withUser = (record: Json, more: Json): Json => {
  if (typeof record.user !== 'string')
    return { ...record, user: { ...(record.user as Json | null), ...more } }
  return { ...record, user: JSON.stringify({ ...(JSON.parse(record.user) as Json), ...more }) }
}

const common: Omit<ProviderCase, 'name' | 'entry' | 'framing'> = {
  provider: polyv,
  nowMs,
  sandbox: { seed: 5, messagesPerHour: 80, callsPer10s: 1_000_000, pageLimit: 30 },
  unit: '2477096/2026112310',
  openUnit: '2477098/2026112311',
  publishes: 'distinct rows',
  mayPost: (path) => path === '/live/v3/channel/chat/get-history',
  isShared: () => false,
  wrong: [
    { appSecret: 'another' },
    { appId: 'another' },
    { channels: ['1'] },
    { baseUrl: 'http://127.0.0.1:1' },
  ],
  example: (id, content) =>
    `{"accountId":"a","clientIP":"","content":${content},"event":"","id":"${id}","image":"","msgType":"",` +
    `"quote":"","roomId":"2477096","sessionId":"","sourceType":"public","status":"pass","time":${sentAt},` +
    `"user":{"nick":"林月","userId":"lin.yue"},"userType":"student"}`,
  sameMessage: [
    (record) => ({ ...record, clientIP: '203.0.113.9', accountId: 'another', sessionId: 'another' }),
    (record) => withUser(record, { banned: true, clientIp: '203.0.113.9', nick: 'renamed' }),
    (record) => ({ ...record, userType: JSON.stringify(record.userType) }),
    (record) => ({ ...record, event: record.event || null, quote: record.quote || null }),
    (record) => ({ ...record, channelId: '2477096' }),
  ],
  otherContent: [
    (record) => ({ ...record, content: 'edited' }),
    (record) => ({ ...record, status: 'a status of its own' }),
    (record) => ({ ...record, sourceType: 'a source of its own' }),
    (record) => ({ ...record, msgType: 'a type of its own' }),
  ],
}

/** Where each endpoint keeps its list, told once more: a witness beside the code. */
const lists: Record<EndpointName, { path: string; keys: readonly string[] }> = {
  'v2-history': { path: '/getHistory', keys: ['data'] },
  'v2-page': { path: '/getHistoryByPage', keys: ['data', 'list'] },
  'v3-history': { path: '/live/v3/channel/chat/get-history', keys: ['data'] },
  'v3-page': { path: '/live/v3/channel/chat/get-history-page', keys: ['data', 'contents'] },
  'v3-speak': { path: '/live/v3/user/chat/get-speak-list', keys: ['data', 'list'] },
}

/** The provider suite for Polyv by one of its endpoints. */
export function polyvSuite(endpoint: EndpointName): void {
  const { path, keys } = lists[endpoint]
  providerSuite({
    ...common,
    name: `polyv ${endpoint}`,
    entry: { endpoint, since: '3h', ratePer10s: 1_000 },
    ...(endpoint === 'v3-speak' && { unit: 'all/2026112310', openUnit: 'all/2026112311' }),
    framing: listFraming((asked) => asked.split('?')[0]!.endsWith(path), keys),
  })
}
