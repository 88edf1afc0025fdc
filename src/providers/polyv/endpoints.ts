import type { Params } from './signature.ts'

/**
 * The history endpoints and how they differ; all take `startDay`, `endDay`, `page`, `status`, `source` and
 * `roomId`. A further endpoint is a further row (facts: Polyv docs V2DOC, V2PAGE, V3DOC; Java SDK).
 */
export interface Endpoint {
  /** Where one channel's history lies: the path and the parameters that name the channel. */
  address(channel: string): { path: string; params: Params }
  /** What the page size is called. */
  pageSizeParam: 'limit' | 'pageSize'
  /** Keys that lead from the answer to the array of items. */
  itemsAt: readonly string[]
  /** `short`: a page with fewer items than asked for is the last; `empty`: only a page without items is. */
  lastPage: 'short' | 'empty'
}

/** The endpoints of this version, one row each. */
export const endpoints = {
  'v2-history': {
    address: (channel) => ({ path: `/live/v2/chat/${encodeURIComponent(channel)}/getHistory`, params: {} }),
    pageSizeParam: 'limit',
    itemsAt: ['data'],
    lastPage: 'short',
  },
} as const satisfies Record<string, Endpoint>

/** Values of `endpoint` in the configuration. */
export const endpointNames = Object.keys(endpoints) as (keyof typeof endpoints)[]

/** Polyv's other history endpoints, which a configuration may name but this version does not ask. */
export const laterEndpoints: readonly string[] = ['v2-page', 'v3-history', 'v3-page', 'v3-speak']
