import type { RawRecord } from '../../provider.ts'
import { type Failure, failed } from '../rest/failure.ts'
import { type Page, pageLimit, type PageQuery } from './page.ts'

/** So many pages in a row may bring nothing new before the service is taken to lead in circles. */
const patience = 20

/**
 * Reads every row of [fromMs, endMs) and hands each page's to `accept`: the rows within, and those that tell no time,
 * which belong to the reading that meets them. Returns null when the range is complete, else why it is not.
 *
 * The interface knows `timestamp>` only, so the range ends at the first page without a row before `endMs`, or where no
 * cursor leads on. Rows are documented to ascend; a page that mixes them does no harm while cursors lead on. Where the
 * cursor is of no use – a repeated one, or none though the page is full – the reading goes on by time, from the newest
 * row met: rows that share its millisecond come again rather than never, and what brings nothing new ends the reading.
 * Once rows have descended that could pass over some: then only the end of the pages ends the range.
 */
export async function pullRange(
  ask: (query: PageQuery) => Promise<Page | Failure>,
  { fromMs, endMs }: { fromMs: number; endMs: number },
  accept: (records: readonly RawRecord[]) => Promise<void>,
): Promise<Failure | null> {
  const met = new Set<string | number>()
  const cursors = new Set<string>()
  let query: PageQuery = { afterMs: fromMs - 1, cursor: null }
  let newestMs = fromMs
  let lastMs = -Infinity
  let hasDescended = false
  let idlePages = 0
  let metBefore = 0
  for (;;) {
    const page = await ask(query)
    if ('state' in page) return page
    if (page.rows.length > 0 && page.rows.every(({ sentAt }) => sentAt !== null && sentAt <= query.afterMs))
      return failed('the service hands out messages from before the time asked for')
    const within = page.rows.filter(({ sentAt }) => sentAt === null || (sentAt >= fromMs && sentAt < endMs))
    await accept(within)
    // What a cursor hands out once more, going round, is no descent.
    for (const { position, sentAt } of page.rows) {
      if (sentAt === null || met.has(position)) continue
      hasDescended ||= sentAt < lastMs
      lastMs = sentAt
    }
    const fresh = within.filter(({ position }) => !met.has(position))
    for (const { position, sentAt } of fresh) {
      met.add(position)
      newestMs = Math.max(newestMs, sentAt ?? fromMs)
    }
    const isPast = page.rows.some(({ sentAt }) => sentAt !== null && sentAt >= endMs)
    if (isPast && !hasDescended && fresh.every(({ sentAt }) => sentAt === null)) return null

    idlePages = fresh.length > 0 ? 0 : idlePages + 1
    if (idlePages > patience) return failed(`${patience} pages in a row brought nothing new`)
    const { cursor } = page
    if (cursor !== null && !cursors.has(cursor)) {
      cursors.add(cursor)
      query = { ...query, cursor }
      continue
    }
    const isFull = page.rows.length >= pageLimit
    if (cursor === null && !isFull) return null
    if (hasDescended) return failed('messages come not in order of time, and no cursor leads on')
    if (met.size === metBefore) {
      // A full page of known rows ends the list unless more rows of the same moment could hide behind it.
      const isOneMoment = page.rows.every(({ sentAt }) => sentAt === newestMs)
      if (cursor === null && !isOneMoment) return null
      return failed(
        cursor === null
          ? 'more messages share one millisecond than fit on a page'
          : 'the cursor leads in circles',
      )
    }
    metBefore = met.size
    cursors.clear()
    lastMs = -Infinity
    query = { afterMs: newestMs - 1, cursor: null }
  }
}
