import { formatTime } from '../hours.ts'
import type { Asked } from '../message/item.ts'
import type { Params } from '../client/signature.ts'

/** One list of history: status, source and room are separate lists at the service. */
export interface Query extends Asked {
  /** `allChannels` where the endpoint hands out the whole account. */
  channel: string
  /** Null for the main room. */
  room: string | null
  fromMs: number
  /** The service may or may not count the messages of this second in. */
  toMs: number
}

/** A history endpoint and how it differs from the others (facts: Polyv docs V2DOC, V2PAGE, V3DOC, SPEAK; Java SDK). */
export interface Endpoint {
  /** POST carries the parameters as a form in the body; they are signed just the same. */
  method: 'GET' | 'POST'
  /** Where a list lies and the parameters that name it, without those of the page. */
  list(query: Query): { path: string; params: Params }
  /** What the page size is called. */
  pageSizeParam: 'limit' | 'pageSize' | 'size'
  /** Keys that lead from the answer to the array of items. */
  itemsAt: readonly string[]
  /** `page`: numbered from 1, the last is short; `cursor`: each answer names the next, only an empty list is the end. */
  paging: 'page' | 'cursor'
  /** Whether a list belongs to one channel or to all of the account. */
  covers: 'channel' | 'account'
}

/** Stands for the channel in the units of an endpoint that covers the account. */
export const allChannels = 'all'

/** The endpoints, one row each. */
export const endpoints = {
  'v2-history': {
    method: 'GET',
    list: (query) => ({ path: `/live/v2/chat/${query.channel}/getHistory`, params: listParams(query) }),
    pageSizeParam: 'limit',
    itemsAt: ['data'],
    paging: 'page',
    covers: 'channel',
  },
  'v2-page': {
    method: 'GET',
    list: (query) => ({ path: `/live/v2/chat/${query.channel}/getHistoryByPage`, params: listParams(query) }),
    pageSizeParam: 'limit',
    itemsAt: ['data', 'list'],
    paging: 'page',
    covers: 'channel',
  },
  'v3-history': {
    method: 'POST',
    list: (query) => ({
      path: '/live/v3/channel/chat/get-history',
      params: { channelId: query.channel, ...listParams(query) },
    }),
    pageSizeParam: 'pageSize',
    itemsAt: ['data'],
    paging: 'page',
    covers: 'channel',
  },
  'v3-page': {
    method: 'GET',
    list: (query) => ({
      path: '/live/v3/channel/chat/get-history-page',
      params: { channelId: query.channel, ...listParams(query) },
    }),
    pageSizeParam: 'pageSize',
    itemsAt: ['data', 'contents'],
    paging: 'page',
    covers: 'channel',
  },
  'v3-speak': {
    method: 'GET',
    list: ({ fromMs, toMs }) => ({
      path: '/live/v3/user/chat/get-speak-list',
      params: { startTime: fromMs, endTime: toMs },
    }),
    pageSizeParam: 'size',
    itemsAt: ['data', 'list'],
    paging: 'cursor',
    covers: 'account',
  },
} as const satisfies Record<string, Endpoint>

/** Values of `endpoint` in the configuration. */
export const endpointNames = Object.keys(endpoints) as (keyof typeof endpoints)[]

function listParams({ fromMs, toMs, status, scope, room }: Query): Params {
  return {
    startDay: formatTime(fromMs),
    endDay: formatTime(toMs),
    status,
    // Without `source` the service hands out the public chat; `extend` is the only documented value.
    source: scope === 'public' ? null : scope,
    roomId: room,
  }
}
