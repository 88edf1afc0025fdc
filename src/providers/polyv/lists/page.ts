import type { RawRecord } from '../../provider.ts'
import { itemsOf, membersOf } from '../../slices.ts'
import { isRefusal, type Client, type Refusal } from '../client/client.ts'
import type { Endpoint, Query } from './endpoints.ts'
import { parseOrNull, word } from '../message/item.ts'
import { recordOf } from '../message/records.ts'
import type { Params } from '../client/signature.ts'

/** A list to be read, and where its records go. */
export interface List {
  endpoint: Endpoint
  query: Query
  /** Messages asked for in one call. */
  pageSize: number
  /** Takes the records page by page; a record may come more than once. */
  accept(records: readonly RawRecord[]): Promise<void>
}

/** One answer about a list. */
export interface Page {
  records: readonly RawRecord[]
  /** Opaque; null where the answer names none. */
  cursor: string | null
}

const noList: Refusal = {
  code: 'answer_shape',
  reason: 'Polyv answers with success but without a list of messages.',
}

/** Asks for one page of a list. An answer without an array of items is refused, never an empty page. Throws what the client throws. */
export async function askPage(
  client: Pick<Client, 'ask'>,
  { endpoint, query, pageSize }: Omit<List, 'accept'>,
  pageParams: Params,
  signal: AbortSignal,
): Promise<Page | Refusal> {
  const { path, params } = endpoint.list(query)
  const call = {
    method: endpoint.method,
    path,
    params: { ...params, ...pageParams, [endpoint.pageSizeParam]: pageSize },
  }
  const answer = await client.ask(call, signal)
  if (isRefusal(answer)) return answer
  const items = itemsOf(answer, endpoint.itemsAt)
  if (!items) return noList
  return { records: items.map((item) => recordOf(item, query)), cursor: cursorOf(answer) }
}

/** The cursor as it came, quotation marks and blanks included: whatever it is, it goes back unchanged. */
function cursorOf(answer: Buffer): string | null {
  const data = membersOf(answer)?.get('data')
  const json = data && membersOf(data)?.get('cursor')
  const value = json ? parseOrNull(json.toString()) : null
  const text = typeof value === 'string' ? value : word(value)
  return text.trim() === '' ? null : text
}
