import type { RawRecord } from '../provider.ts'
import type { Client, Refusal } from './client.ts'
import type { Endpoint } from './endpoints.ts'
import { formatTime } from './hours.ts'
import type { Asked } from './item.ts'
import { recordOf } from './records.ts'
import type { Params } from './signature.ts'
import { itemsOf } from '../slices.ts'

/** One list of a channel's history: status, source and room are separate lists at the service. */
export interface Query extends Asked {
  channel: string
  /** Null for the main room. */
  room: string | null
  fromMs: number
  /** The service may or may not count the messages of this second in. */
  toMs: number
}

/**
 * Reads every page of one list and hands its records to `accept`, page by page. Returns null when the list is
 * complete, otherwise why it is not: the service refuses it, an answer holds no list, or the pages shifted under
 * the reading. A short list never passes for a whole one. Throws what the client throws.
 */
export async function readList(
  client: Pick<Client, 'get'>,
  endpoint: Endpoint,
  query: Query,
  pageSize: number,
  accept: (records: readonly RawRecord[]) => Promise<void>,
  signal: AbortSignal,
): Promise<Refusal | null> {
  const { path, params } = endpoint.address(query.channel)
  const met = new Set<string | number>()
  for (let page = 1; ; page++) {
    const pageParams = { ...params, ...listParams(query), page, [endpoint.pageSizeParam]: pageSize }
    const answer = await client.get(path, pageParams, signal)
    if (!Buffer.isBuffer(answer)) return answer
    const records = itemsOf(answer, endpoint.itemsAt)?.map((item) => recordOf(item, query))
    if (!records) return noList
    await accept(records)
    if (records.length === 0 || (endpoint.lastPage === 'short' && records.length < pageSize)) return null

    const metBefore = met.size
    for (const { position } of records) met.add(position)
    if (met.size === metBefore) return pagesShifted(page)
  }
}

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

const noList: Refusal = {
  code: 'answer_shape',
  reason: 'Polyv answers with success but without a list of messages.',
}

function pagesShifted(page: number): Refusal {
  const reason = `Page ${page} repeats only messages of the pages before it: the list changed while it was read.`
  return { code: 'pages_shifted', reason }
}
